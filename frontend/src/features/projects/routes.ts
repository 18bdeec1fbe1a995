import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

export const projectListRoute = <Parent extends AnyRoute>(organization: Parent) =>
  createRoute({
    getParentRoute: () => organization,
    path: '/',
    validateSearch: ({ q }: Record<string, unknown>): { q?: string | undefined } => ({ q: typeof q === 'string' && q ? q.slice(0, 200) : undefined }),
    component: lazyRouteComponent(() => import('./ProjectsPage'), 'ProjectsPage'),
  });

export const overviewRoute = <Parent extends AnyRoute>(project: Parent) =>
  createRoute({
    getParentRoute: () => project,
    path: '/',
    component: lazyRouteComponent(() => import('./OverviewPage'), 'OverviewPage'),
  });
