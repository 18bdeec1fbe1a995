import { Link } from '@tanstack/react-router';
import { Menu as MenuIcon } from 'lucide-react';

import type { Liveness } from '@/api/events';
import { IconButton } from '@/ui/Button';
import { Logo } from '@/ui/Logo';

import { AccountMenu } from './AccountMenu';
import { LiveDot } from './LiveDot';
import { ProjectSwitcher } from './ProjectSwitcher';

export const TopBar = ({ liveness, onOpenNavigation }: { liveness: Liveness; onOpenNavigation: () => void }) => (
  <header className="flex h-14 shrink-0 items-center gap-2 border-b border-border bg-surface px-3 sm:px-4">
    <IconButton label="Open navigation" icon={<MenuIcon />} className="lg:hidden" onClick={onOpenNavigation} />
    <Link to="/" aria-label="Headrace, home" className="flex items-center gap-2.5 rounded-control p-1">
      <Logo />
      <span className="hidden text-section sm:inline">Headrace</span>
    </Link>
    <ProjectSwitcher />
    <div className="ml-auto flex items-center gap-3">
      <LiveDot liveness={liveness} />
      <AccountMenu />
    </div>
  </header>
);
