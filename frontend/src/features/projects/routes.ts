import { type AnyRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';

import { parseFilters } from './search';
import { parseStep, type WizardStep } from './wizard/steps';

export const projectListRoute = <Parent extends AnyRoute>(organization: Parent) =>
  createRoute({
    getParentRoute: () => organization,
    path: '/',
    validateSearch: parseFilters,
    component: lazyRouteComponent(() => import('./ProjectsPage'), 'ProjectsPage'),
  });

export const newProjectRoute = <Parent extends AnyRoute>(organization: Parent) =>
  createRoute({
    getParentRoute: () => organization,
    path: 'new-project',
    validateSearch: (search: Record<string, unknown>): { step?: WizardStep | undefined } => ({ step: parseStep(search) === 'about' ? undefined : parseStep(search) }),
    component: lazyRouteComponent(() => import('./wizard/NewProjectPage'), 'NewProjectPage'),
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
