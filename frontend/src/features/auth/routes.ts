import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

interface AuthSearch {
  /** Where to go after signing in: a path on this site, never another site. */
  next?: string | undefined;
}

const PATH_HERE = /^\/(?![/\\])/;

// What does not pass is set to undefined, not left out: the router lays this over the raw search of the URL.
const validateSearch = ({ next }: Record<string, unknown>): AuthSearch => ({ next: typeof next === 'string' && PATH_HERE.test(next) ? next : undefined });

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
    createRoute({
      getParentRoute: () => root,
      path: 'forgot-password',
      component: lazyRouteComponent(() => import('./ForgotPasswordPage'), 'ForgotPasswordPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: 'reset-password',
      component: lazyRouteComponent(() => import('./ResetPasswordPage'), 'ResetPasswordPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: 'verify-email',
      component: lazyRouteComponent(() => import('./VerifyEmailPage'), 'VerifyEmailPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: 'invite',
      component: lazyRouteComponent(() => import('./InvitePage'), 'InvitePage'),
    }),
  ] as const;
