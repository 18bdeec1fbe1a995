import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

const parseQ = ({ q }: Record<string, unknown>): { q?: string | undefined } => ({ q: typeof q === 'string' && q ? q.slice(0, 100) : undefined });

/** The person's organizations. */
export const organizationsRoute = <Parent extends AnyRoute>(session: Parent) =>
  createRoute({ getParentRoute: () => session, path: 'organizations', component: lazyRouteComponent(() => import('./OrganizationsPage'), 'OrganizationsPage') });

/** An organization's settings: a page for each subject below one row of tabs. */
export const settingsRoute = <Parent extends AnyRoute>(organization: Parent) =>
  createRoute({
    getParentRoute: () => organization,
    path: 'settings',
    component: lazyRouteComponent(() => import('./SettingsLayout'), 'SettingsLayout'),
  });

export const settingsPages = <Parent extends AnyRoute>(settings: Parent) =>
  [
    createRoute({ getParentRoute: () => settings, path: '/', component: lazyRouteComponent(() => import('./SettingsLayout'), 'FirstTab') }),
    createRoute({ getParentRoute: () => settings, path: 'general', component: lazyRouteComponent(() => import('./GeneralPage'), 'GeneralPage') }),
    createRoute({ getParentRoute: () => settings, path: 'policies', component: lazyRouteComponent(() => import('./PoliciesPage'), 'PoliciesPage') }),
    createRoute({ getParentRoute: () => settings, path: 'usage', component: lazyRouteComponent(() => import('./UsagePage'), 'UsagePage') }),
    createRoute({ getParentRoute: () => settings, path: 'members', validateSearch: parseQ, component: lazyRouteComponent(() => import('./MembersPage'), 'MembersPage') }),
    createRoute({ getParentRoute: () => settings, path: 'invitations', component: lazyRouteComponent(() => import('./InvitationsPage'), 'InvitationsPage') }),
    createRoute({ getParentRoute: () => settings, path: 'service-accounts', component: lazyRouteComponent(() => import('./ServiceAccountsPage'), 'ServiceAccountsPage') }),
    createRoute({ getParentRoute: () => settings, path: 'roles', component: lazyRouteComponent(() => import('./RolesPage'), 'RolesPage') }),
  ] as const;
