import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { type AuditSearch, parseAuditSearch, parseEntry } from './search';

export const auditRoute = <Parent extends AnyRoute>(organization: Parent) =>
  createRoute({
    getParentRoute: () => organization,
    path: 'audit',
    validateSearch: (search: Record<string, unknown>): AuditSearch & { entry?: number | undefined } => ({ ...parseAuditSearch(search), entry: parseEntry(search) }),
    component: lazyRouteComponent(() => import('./AuditPage'), 'AuditPage'),
  });
