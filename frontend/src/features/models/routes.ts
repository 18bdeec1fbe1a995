import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { parseModelSearch } from './search';

export const modelRoutes = <Parent extends AnyRoute>(project: Parent) =>
  [
    createRoute({
      getParentRoute: () => project,
      path: 'models',
      component: lazyRouteComponent(() => import('./ModelsPage'), 'ModelsPage'),
    }),
    createRoute({
      getParentRoute: () => project,
      path: 'models/$model',
      validateSearch: parseModelSearch,
      component: lazyRouteComponent(() => import('./ModelPage'), 'ModelPage'),
    }),
  ] as const;
