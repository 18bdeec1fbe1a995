import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

export const deploymentRoutes = <Parent extends AnyRoute>(project: Parent) =>
  [
    createRoute({
      getParentRoute: () => project,
      path: 'deployments',
      component: lazyRouteComponent(() => import('./DeploymentsPage'), 'DeploymentsPage'),
    }),
  ] as const;
