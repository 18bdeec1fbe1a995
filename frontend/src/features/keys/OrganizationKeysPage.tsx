import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';

import { useOrganization } from '@/api/organization';
import type { OrganizationKey } from '@/api/types';
import { useNow } from '@/lib/useNow';
import { Empty } from '@/ui/Empty';
import { Checkbox, Input } from '@/ui/Field';
import { ForAdministrators } from '@/ui/ForAdministrators';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { flagsOf, parseFlag, callsIn } from './flags';
import { FlagFilter, KeyFlags } from './KeyFlags';
import { LastUsed } from './LastUsed';
import { useOrganizationKeys, useOrganizationKeyUses } from './queries';
import { statusOf } from './status';

/** Every key of every project, for the administrators of the organization. */
export function OrganizationKeysPage() {
  const organization = useOrganization();
  if (!organization) return null;
  return (
    <>
      <PageHeader title="API keys" context={organization.name}>
        The keys of all projects of {organization.name}: whose they are, what they may do, and whether anybody uses them.
      </PageHeader>
      <ForAdministrators of={organization} who="the keys of a project stand on its own page">
        <Keys organizationId={organization.id} org={organization.slug} />
      </ForAdministrators>
    </>
  );
}

function Keys({ organizationId, org }: { organizationId: string; org: string }) {
  const { q = '', flag: asked, all = false }: { q?: string; flag?: unknown; all?: boolean } = useSearch({ strict: false });
  const flag = parseFlag(asked);
  const navigate = useNavigate();
  const set = (change: Record<string, string | true | undefined>) => void navigate({ to: '.', search: (before) => ({ ...before, ...change }), replace: true });
  const keys = useOrganizationKeys(organizationId);
  const { data: uses } = useOrganizationKeyUses(organizationId);
  const callsOf = callsIn(uses);
  const now = useNow();
  const isShown = ({ key, project_name: project }: OrganizationKey) =>
    (all || statusOf(key, now).works) &&
    (flag === undefined || flagsOf(key, callsOf(key), now).includes(flag)) &&
    `${key.name} ${key.key_id} ${key.owner ?? ''} ${project}`.toLowerCase().includes(q.toLowerCase());
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-3">
        <Input
          type="search"
          aria-label="Search keys"
          placeholder="Search by name, owner or project"
          maxLength={100}
          className="max-w-md min-w-0 flex-1 basis-60"
          defaultValue={q}
          onChange={({ target }) => set({ q: target.value || undefined })}
        />
        <FlagFilter value={flag} onChange={(it) => set({ flag: it })} />
        <Checkbox label="Revoked and expired ones, too" checked={all} onChange={({ target }) => set({ all: target.checked || undefined })} />
      </div>
      <Loaded query={keys}>
        {(items) => {
          const shown = items.filter(isShown);
          if (shown.length > 0) return <KeyRows keys={shown} org={org} callsOf={callsOf} now={now} />;
          return (
            <Empty icon={<KeyRound aria-hidden />} title={items.length === 0 ? 'No keys yet' : 'No key matches'}>
              {items.length === 0 ? 'Keys are made in projects.' : 'Ask for less, or load more of the list.'}
            </Empty>
          );
        }}
      </Loaded>
      {keys.hasNextPage && <LoadMore query={keys} of="key" />}
    </div>
  );
}

const HEAD = (
  <>
    <Th>Key</Th>
    <Th>Project</Th>
    <Th className="hidden sm:table-cell">Acts for</Th>
    <Th>Status</Th>
    <Th className="hidden md:table-cell">Scopes</Th>
    <Th className="hidden sm:table-cell">Last used</Th>
    <Th className="hidden md:table-cell">Expires</Th>
  </>
);

interface KeyRowsProps {
  keys: OrganizationKey[];
  org: string;
  callsOf: ReturnType<typeof callsIn>;
  now: number;
}

function KeyRows({ keys, org, callsOf, now }: KeyRowsProps) {
  return (
    <Table label="API keys of the organization" head={HEAD}>
      {keys.map(({ key, project_slug: project, project_name: projectName }) => {
        const status = statusOf(key, now);
        return (
          <Tr key={key.id}>
            <Td className="max-w-60">
              <Link to="/o/$org/p/$project/keys/$key" params={{ org, project, key: key.id }} className="link font-medium break-words">
                {key.name}
              </Link>
              <p className="font-mono text-caption text-subtle">hr_{key.key_id}_…</p>
            </Td>
            <Td className="max-w-48 break-words">{projectName}</Td>
            <Td className="hidden text-muted sm:table-cell">{key.owner ?? 'nobody'}</Td>
            <Td>
              <div className="flex flex-wrap gap-1">
                <StatusPill tone={status.tone}>{status.word}</StatusPill>
                <KeyFlags flags={flagsOf(key, callsOf(key), now)} />
              </div>
            </Td>
            <Td className="hidden md:table-cell">{key.scopes.join(', ')}</Td>
            <Td className="hidden text-muted sm:table-cell">
              <LastUsed use={callsOf(key)} />
            </Td>
            <Td className="hidden text-muted md:table-cell">{key.expires_at ? <RelativeTime time={key.expires_at} /> : 'Never'}</Td>
          </Tr>
        );
      })}
    </Table>
  );
}
