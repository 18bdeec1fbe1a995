import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

export const keyRoutes = <Parent extends AnyRoute>(project: Parent) =>
  [
    createRoute({
      getParentRoute: () => project,
      path: 'keys',
      component: lazyRouteComponent(() => import('./KeysPage'), 'KeysPage'),
    }),
  ] as const;
