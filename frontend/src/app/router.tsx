import type { QueryClient } from '@tanstack/react-query';
import { createRoute, createRouter, redirect, type RouterHistory } from '@tanstack/react-router';

import { newestProjectsQuery } from '@/api/projects';
import { accountRoute } from '@/features/account/routes';
import { auditRoute } from '@/features/audit/routes';
import { authRoutes } from '@/features/auth/routes';
import { batchJobRoutes } from '@/features/batch-jobs/routes';
import { deploymentRoutes } from '@/features/deployments/routes';
import { keyRoutes, organizationKeysRoute } from '@/features/keys/routes';
import { modelRoutes } from '@/features/models/routes';
import { organizationsRoute, settingsPages, settingsRoute } from '@/features/organization/routes';
import { newProjectRoute, overviewRoute, projectListRoute, projectSettingsRoute } from '@/features/projects/routes';
import { PageSkeleton } from '@/ui/Skeleton';

import { NotFoundPage } from './NotFoundPage';
import { comingFrom, organizationRoute, projectRoute, rootRoute, sessionRoute } from './parents';
import { createQueryClient } from './queryClient';
import { RouteProblem } from './RouteProblem';
import { parseSearch, stringifySearch } from './search';

/** `/` leads to the only project, or to the list of projects; who belongs nowhere finds what to do about it. */
const homeRoute = createRoute({
  getParentRoute: () => sessionRoute,
  path: '/',
  loader: async ({ context }) => {
    const organization = context.me.organizations[0];
    if (!organization) throw redirect({ to: '/organizations', replace: true });
    const projects = await context.queryClient.ensureQueryData(newestProjectsQuery(organization.id));
    const [only] = projects;
    const params = { org: organization.slug };
    if (projects.length === 1 && only) throw redirect({ to: '/o/$org/p/$project', params: { ...params, project: only.slug }, replace: true });
    throw redirect({ to: '/o/$org', params, replace: true });
  },
});

const organizationSettings = settingsRoute(organizationRoute);

const routeTree = rootRoute.addChildren([
  ...authRoutes(rootRoute),
  sessionRoute.addChildren([
    homeRoute,
    accountRoute(sessionRoute),
    organizationsRoute(sessionRoute),
    organizationRoute.addChildren([
      projectListRoute(organizationRoute),
      newProjectRoute(organizationRoute),
      auditRoute(organizationRoute),
      organizationSettings.addChildren([...settingsPages(organizationSettings), organizationKeysRoute(organizationSettings)]),
      projectRoute.addChildren([overviewRoute(projectRoute), ...modelRoutes(projectRoute), ...deploymentRoutes(projectRoute), ...batchJobRoutes(projectRoute), ...keyRoutes(projectRoute), projectSettingsRoute(projectRoute)]),
    ]),
  ]),
]);

/** Pages that need no session, and are not left for want of one. */
const OUTSIDE = new Set(['/login', '/signup', '/forgot-password', '/reset-password', '/verify-email', '/signed-in']);

/** The router and the cache it loads into; a test gives its own `history`. */
export function createConsole(history?: RouterHistory) {
  const queryClient: QueryClient = createQueryClient(() => signOut());
  const router = createRouter({
    routeTree,
    context: { queryClient },
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    // The query cache decides what is fresh.
    defaultPreloadStaleTime: 0,
    defaultPendingMs: 150,
    defaultPendingComponent: PageSkeleton,
    defaultErrorComponent: RouteProblem,
    defaultNotFoundComponent: NotFoundPage,
    scrollRestoration: true,
    ...(history ? { history } : {}),
  });

  function signOut(): void {
    const { href, pathname } = router.state.location;
    if (OUTSIDE.has(pathname)) return;
    queryClient.clear();
    void router.navigate({ to: '/login', search: comingFrom(href) });
  }

  return { router, queryClient };
}

export type Console = ReturnType<typeof createConsole>;

declare module '@tanstack/react-router' {
  interface Register {
    router: Console['router'];
  }
}
