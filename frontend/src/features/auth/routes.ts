import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

interface AuthSearch {
  /** Where to go after signing in: a path on this site, never another site. */
  next?: string;
}

const PATH_HERE = /^\/(?![/\\])/;

const validateSearch = ({ next }: Record<string, unknown>): AuthSearch => (typeof next === 'string' && PATH_HERE.test(next) ? { next } : {});

export const authRoutes = <Parent extends AnyRoute>(root: Parent) =>
  [
    createRoute({
      getParentRoute: () => root,
      path: 'login',
      validateSearch,
      component: lazyRouteComponent(() => import('./LoginPage'), 'LoginPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: 'signup',
      validateSearch,
      component: lazyRouteComponent(() => import('./SignUpPage'), 'SignUpPage'),
    }),
  ] as const;
