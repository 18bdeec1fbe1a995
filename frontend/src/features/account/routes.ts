import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

export const accountRoute = <Parent extends AnyRoute>(session: Parent) =>
  createRoute({
    getParentRoute: () => session,
    path: 'account',
    component: lazyRouteComponent(() => import('./AccountPage'), 'AccountPage'),
  });
