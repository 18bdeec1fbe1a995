import { Box, FileStack, KeyRound, LayoutDashboard, type LucideIcon, Rocket, Settings } from 'lucide-react';

interface NavigationItem {
  to: '/o/$org/p/$project' | '/o/$org/p/$project/models' | '/o/$org/p/$project/deployments' | '/o/$org/p/$project/batch-jobs' | '/o/$org/p/$project/keys' | '/o/$org/p/$project/settings';
  label: string;
  icon: LucideIcon;
  /** True where the address must match to the end, because every other page lies below it. */
  exact?: boolean;
}

/** What a project has, in the order of the work: only what exists. */
export const NAVIGATION: readonly NavigationItem[] = [
  { to: '/o/$org/p/$project', label: 'Overview', icon: LayoutDashboard, exact: true },
  { to: '/o/$org/p/$project/models', label: 'Models', icon: Box },
  { to: '/o/$org/p/$project/deployments', label: 'Deployments', icon: Rocket },
  { to: '/o/$org/p/$project/batch-jobs', label: 'Batch jobs', icon: FileStack },
  { to: '/o/$org/p/$project/keys', label: 'API keys', icon: KeyRound },
  { to: '/o/$org/p/$project/settings', label: 'Settings', icon: Settings },
];
