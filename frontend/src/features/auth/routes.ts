import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { pathHere } from './next';

interface AuthSearch {
  /** Where to go after signing in: a path on this site, never another site. */
  next?: string | undefined;
}

// What does not pass is set to undefined, not left out: the router lays this over the raw search of the URL.
const validateSearch = ({ next }: Record<string, unknown>): AuthSearch => ({ next: pathHere(next) });

interface ProviderAnswer {
  code?: string | undefined;
  state?: string | undefined;
}

// The router reads `?code=123` as a number.
const textOf = (value: unknown): string | undefined => (typeof value === 'string' || typeof value === 'number' ? String(value) : undefined);

const answerOf = ({ code, state }: Record<string, unknown>): ProviderAnswer => ({ code: textOf(code), state: textOf(state) });

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
      path: 'signed-in',
      validateSearch: answerOf,
      component: lazyRouteComponent(() => import('./SignedInPage'), 'SignedInPage'),
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
