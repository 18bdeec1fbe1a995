import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { parseAuditSearch } from './search';

export const auditRoute = <Parent extends AnyRoute>(organization: Parent) =>
  createRoute({
    getParentRoute: () => organization,
    path: 'audit',
    validateSearch: parseAuditSearch,
    component: lazyRouteComponent(() => import('./AuditPage'), 'AuditPage'),
  });
