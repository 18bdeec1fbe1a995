import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

export const batchJobRoutes = <Parent extends AnyRoute>(project: Parent) =>
  [
    createRoute({
      getParentRoute: () => project,
      path: 'batch-jobs',
      component: lazyRouteComponent(() => import('./BatchJobsPage'), 'BatchJobsPage'),
    }),
    createRoute({
      getParentRoute: () => project,
      path: 'batch-jobs/$job',
      component: lazyRouteComponent(() => import('./BatchJobPage'), 'BatchJobPage'),
    }),
  ] as const;
