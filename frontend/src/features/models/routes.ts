import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

export const modelRoutes = <Parent extends AnyRoute>(project: Parent) =>
  [
    createRoute({
      getParentRoute: () => project,
      path: 'models',
      component: lazyRouteComponent(() => import('./ModelsPage'), 'ModelsPage'),
    }),
  ] as const;
