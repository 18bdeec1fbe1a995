import { Link, Navigate, Outlet } from '@tanstack/react-router';

import { administers, useOrganization } from '@/api/organization';

const TABS = [
  { to: '/o/$org/settings/general', label: 'General', forAdmins: false },
  { to: '/o/$org/settings/members', label: 'Members', forAdmins: false },
  { to: '/o/$org/settings/invitations', label: 'Invitations', forAdmins: true },
  { to: '/o/$org/settings/service-accounts', label: 'Service accounts', forAdmins: false },
  { to: '/o/$org/settings/keys', label: 'API keys', forAdmins: true },
  { to: '/o/$org/settings/roles', label: 'Roles', forAdmins: false },
  { to: '/o/$org/settings/policies', label: 'Policies', forAdmins: true },
  { to: '/o/$org/settings/usage', label: 'Usage', forAdmins: true },
] as const;

const TAB =
  '-mb-px border-b-2 border-transparent py-2 text-label whitespace-nowrap text-muted hover:text-text focus-visible:-outline-offset-2 ' +
  'aria-[current=page]:border-accent aria-[current=page]:text-text';

/** Brings a tab into view where there is no room for all of them. */
const reveal = (tab: HTMLElement | null) => tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' });

/** The tabs above every page of an organization's settings. */
export function SettingsLayout() {
  const organization = useOrganization();
  if (!organization) return null;
  const shown = TABS.filter(({ forAdmins }) => !forAdmins || administers(organization));
  return (
    <>
      <nav aria-label={`Settings of ${organization.name}`} className="flex gap-5 overflow-x-auto border-b border-border">
        {shown.map(({ to, label }) => (
          <Link key={to} to={to} params={{ org: organization.slug }} activeOptions={{ includeSearch: false }} className={TAB}>
            {({ isActive }) => <span ref={isActive ? reveal : undefined}>{label}</span>}
          </Link>
        ))}
      </nav>
      <Outlet />
    </>
  );
}

/** Where the settings begin. */
export function FirstTab() {
  const organization = useOrganization();
  return organization ? <Navigate to="/o/$org/settings/members" params={{ org: organization.slug }} replace /> : null;
}
