import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { type KeyFlag, parseFlag } from './flags';
import { type KeyRange, parseRange } from './range';

interface KeySearch {
  /** True to list revoked and expired keys too. */
  all?: true | undefined;
  /** Only those with this flag. */
  flag?: KeyFlag | undefined;
}

interface OrganizationKeySearch extends KeySearch {
  q?: string | undefined;
}

const parseKeySearch = ({ all, flag }: Record<string, unknown>): KeySearch => ({ all: all === true ? true : undefined, flag: parseFlag(flag) });

export const keyRoutes = <Parent extends AnyRoute>(project: Parent) =>
  [
    createRoute({
      getParentRoute: () => project,
      path: 'keys',
      validateSearch: parseKeySearch,
      component: lazyRouteComponent(() => import('./KeysPage'), 'KeysPage'),
    }),
    createRoute({
      getParentRoute: () => project,
      path: 'keys/$key',
      validateSearch: (search: Record<string, unknown>): { range?: KeyRange | undefined } => ({ range: parseRange(search) === '30d' ? undefined : parseRange(search) }),
      component: lazyRouteComponent(() => import('./KeyPage'), 'KeyPage'),
    }),
  ] as const;

/** Below the organization's settings. */
export const organizationKeysRoute = <Parent extends AnyRoute>(settings: Parent) =>
  createRoute({
    getParentRoute: () => settings,
    path: 'keys',
    validateSearch: ({ q, ...rest }: Record<string, unknown>): OrganizationKeySearch => ({ ...parseKeySearch(rest), q: typeof q === 'string' && q ? q.slice(0, 100) : undefined }),
    component: lazyRouteComponent(() => import('./OrganizationKeysPage'), 'OrganizationKeysPage'),
  });
