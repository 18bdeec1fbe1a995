import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

interface KeySearch {
  /** True to list revoked and expired keys too. */
  all?: true | undefined;
}

export const keyRoutes = <Parent extends AnyRoute>(project: Parent) =>
  [
    createRoute({
      getParentRoute: () => project,
      path: 'keys',
      validateSearch: ({ all }: Record<string, unknown>): KeySearch => ({ all: all === true ? true : undefined }),
      component: lazyRouteComponent(() => import('./KeysPage'), 'KeysPage'),
    }),
  ] as const;
