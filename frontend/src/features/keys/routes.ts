import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

interface KeySearch {
  /** True to list revoked and expired keys too. */
  all?: true;
}

export const keyRoutes = <Parent extends AnyRoute>(project: Parent) =>
  [
    createRoute({
      getParentRoute: () => project,
      path: 'keys',
      validateSearch: ({ all }: Record<string, unknown>): KeySearch => (all === true ? { all } : {}),
      component: lazyRouteComponent(() => import('./KeysPage'), 'KeysPage'),
    }),
  ] as const;
