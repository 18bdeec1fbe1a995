import { Link, useMatchRoute, useParams } from '@tanstack/react-router';
import { BookOpen, Building2, FolderKanban, type LucideIcon, ScrollText, Users, X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';

import { administers, useOrganization } from '@/api/organization';
import { useMe } from '@/api/session';
import { useSystem } from '@/api/system';
import { IconButton } from '@/ui/Button';

import { NAVIGATION } from './navigation';

const ITEM =
  'group flex min-h-9 items-center gap-3 rounded-control px-2.5 text-body text-muted transition-colors duration-100 hover:bg-sunken hover:text-text ' +
  'aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent';

/** Beside the page where there is room for it. */
export const Sidebar = () => (
  <div className="hidden w-58 shrink-0 flex-col border-r border-border bg-surface lg:flex">
    <Navigation />
  </div>
);

/** The same over the page on narrow screens. */
export const NavigationDrawer = ({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) => (
  <Radix.Root open={open} onOpenChange={onOpenChange}>
    <Radix.Portal>
      <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim lg:hidden" />
      <Radix.Content
        aria-describedby={undefined}
        className="fixed inset-y-0 left-0 z-40 flex w-72 max-w-[85vw] animate-slide-in flex-col bg-surface shadow-float focus:outline-none lg:hidden"
      >
        <div className="flex h-14 shrink-0 items-center justify-between border-b border-border px-4">
          <Radix.Title className="text-section">Navigation</Radix.Title>
          <Radix.Close asChild>
            <IconButton label="Close navigation" icon={<X />} />
          </Radix.Close>
        </div>
        <Navigation onNavigate={() => onOpenChange(false)} />
      </Radix.Content>
    </Radix.Portal>
  </Radix.Root>
);

function Navigation({ onNavigate }: { onNavigate?: () => void }) {
  const { org, project } = useParams({ strict: false });
  return (
    <>
      <nav aria-label="Main" className="flex flex-1 flex-col gap-0.5 overflow-y-auto p-3">
        {org && project ? <ProjectLinks org={org} project={project} onNavigate={onNavigate} /> : <OrganizationLinks org={org} onNavigate={onNavigate} />}
        <PeopleLinks org={org} onNavigate={onNavigate} />
        <AuditLink onNavigate={onNavigate} />
      </nav>
      <Footer />
    </>
  );
}

type OnNavigate = { onNavigate: (() => void) | undefined };

const ProjectLinks = ({ org, project, onNavigate }: { org: string; project: string } & OnNavigate) =>
  NAVIGATION.map(({ to, label, icon, exact }) => (
    <Link key={to} to={to} params={{ org, project }} activeOptions={{ exact: exact ?? false, includeSearch: false }} className={ITEM} onClick={onNavigate}>
      <Icon of={icon} />
      {label}
    </Link>
  ));

/** Every organization's projects, where no project is shown: those of the page's own first and alone. */
function OrganizationLinks({ org, onNavigate }: { org: string | undefined } & OnNavigate) {
  const { organizations } = useMe();
  const current = organizations.filter((it) => it.slug === org);
  return (current.length > 0 ? current : organizations).map((organization) => (
    <Link key={organization.id} to="/o/$org" params={{ org: organization.slug }} activeOptions={{ exact: true, includeSearch: false }} className={ITEM} onClick={onNavigate}>
      <Icon of={FolderKanban} />
      <span className="truncate">{current.length > 0 || organizations.length === 1 ? 'Projects' : organization.name}</span>
    </Link>
  ));
}

/** The people and settings of the organization. */
function PeopleLinks({ org, onNavigate }: { org: string | undefined } & OnNavigate) {
  const { organizations } = useMe();
  const matches = useMatchRoute();
  if (!org || !organizations.some(({ slug }) => slug === org)) return null;
  const isInSettings = matches({ to: '/o/$org/settings', params: { org }, fuzzy: true }) && !matches({ to: '/o/$org/settings/members', params: { org } });
  return (
    <>
      <Link to="/o/$org/settings/members" params={{ org }} activeOptions={{ includeSearch: false }} className={ITEM} onClick={onNavigate}>
        <Icon of={Users} />
        Members
      </Link>
      <Link
        to="/o/$org/settings/general"
        params={{ org }}
        activeOptions={{ includeSearch: false }}
        {...(isInSettings && { 'aria-current': 'page' })}
        className={ITEM}
        onClick={onNavigate}
      >
        <Icon of={Building2} />
        Organization
      </Link>
    </>
  );
}

/** For those who may read it. */
function AuditLink({ onNavigate }: OnNavigate) {
  const organization = useOrganization();
  if (!organization || !administers(organization)) return null;
  return (
    <Link to="/o/$org/audit" params={{ org: organization.slug }} activeOptions={{ includeSearch: false }} className={ITEM} onClick={onNavigate}>
      <Icon of={ScrollText} />
      Audit log
    </Link>
  );
}

const Icon = ({ of: Shape }: { of: LucideIcon }) => <Shape aria-hidden className="size-4.5 shrink-0" strokeWidth={1.75} />;

function Footer() {
  const { data: system } = useSystem();
  return (
    <footer className="flex flex-col gap-1 border-t border-border p-3">
      <a href="/api/docs" target="_blank" rel="noreferrer" className={ITEM}>
        <Icon of={BookOpen} />
        API reference
      </a>
      {system && <p className="px-2.5 pt-1 text-caption text-subtle">Headrace {system.version}</p>}
    </footer>
  );
}
