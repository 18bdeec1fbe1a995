import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { parseFilters } from './search';

export const projectListRoute = <Parent extends AnyRoute>(organization: Parent) =>
  createRoute({
    getParentRoute: () => organization,
    path: '/',
    validateSearch: parseFilters,
    component: lazyRouteComponent(() => import('./ProjectsPage'), 'ProjectsPage'),
  });

export const overviewRoute = <Parent extends AnyRoute>(project: Parent) =>
  createRoute({
    getParentRoute: () => project,
    path: '/',
    component: lazyRouteComponent(() => import('./OverviewPage'), 'OverviewPage'),
  });

export const projectSettingsRoute = <Parent extends AnyRoute>(project: Parent) =>
  createRoute({
    getParentRoute: () => project,
    path: 'settings',
    component: lazyRouteComponent(() => import('./SettingsPage'), 'SettingsPage'),
  });
