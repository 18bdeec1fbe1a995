/** The routes that others hang from: the root, the session, the organization, the project. */
import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, createRoute, notFound, redirect } from '@tanstack/react-router';

import { rolesQuery } from '@/api/permissions';
import { ApiError } from '@/api/problem';
import { projectQuery } from '@/api/projects';
import { meQuery } from '@/api/session';

import { NotFoundPage } from './NotFoundPage';
import { Shell } from './shell/Shell';

export interface RouterContext {
  queryClient: QueryClient;
}

export const rootRoute = createRootRouteWithContext<RouterContext>()({ notFoundComponent: NotFoundPage });

/** What the login page needs to lead back to `href`; home is where it leads anyway. */
export const comingFrom = (href: string): { next?: string } => (href === '/' ? {} : { next: href });

/** Everything below needs a signed-in person; others are sent to sign in and back. */
export const sessionRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'session',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    const me = await context.queryClient.ensureQueryData(meQuery).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 401) throw redirect({ to: '/login', search: comingFrom(location.href) });
      throw error;
    });
    void context.queryClient.prefetchQuery(rolesQuery);
    return { me };
  },
});

export const organizationRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: 'o/$org',
  notFoundComponent: NotFoundPage,
  beforeLoad: ({ context, params }) => {
    const organization = context.me.organizations.find((it) => it.slug === params.org);
    if (!organization) throw notFound();
    return { organization };
  },
});

export const projectRoute = createRoute({
  getParentRoute: () => organizationRoute,
  path: 'p/$project',
  notFoundComponent: NotFoundPage,
  loader: ({ context, params }) =>
    context.queryClient.ensureQueryData(projectQuery(params.org, params.project)).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) throw notFound();
      throw error;
    }),
});
