import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { parseDeploymentSearch } from './search';

export const deploymentRoutes = <Parent extends AnyRoute>(project: Parent) =>
  [
    createRoute({
      getParentRoute: () => project,
      path: 'deployments',
      component: lazyRouteComponent(() => import('./DeploymentsPage'), 'DeploymentsPage'),
    }),
    createRoute({
      getParentRoute: () => project,
      path: 'deployments/$deployment',
      validateSearch: parseDeploymentSearch,
      component: lazyRouteComponent(() => import('./DeploymentPage'), 'DeploymentPage'),
    }),
  ] as const;
