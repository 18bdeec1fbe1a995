import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { ScrollText } from 'lucide-react';
import { useState } from 'react';

import { administers, useOrganization } from '@/api/organization';
import type { AuditEntry } from '@/api/types';
import { formatMoment } from '@/lib/format';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Empty } from '@/ui/Empty';
import { ForAdministrators } from '@/ui/ForAdministrators';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { PageHeader } from '@/ui/PageHeader';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { Changes } from './Changes';
import { Filters } from './Filters';
import { auditQuery, entryQuery, exportAddress } from './queries';
import { type AuditSearch, parseAuditSearch, parseEntry } from './search';

/** Who changed what in the organization. */
export function AuditPage() {
  const organization = useOrganization();
  const given = useSearch({ strict: false });
  const search = parseAuditSearch(given);
  const entry = parseEntry(given);
  if (!organization) return null;
  return (
    <>
      <PageHeader title="Audit log" context={organization.name} actions={administers(organization) && <Exports organizationId={organization.id} search={search} />}>
        Every change in {organization.name}: who made it, from where, and what it was before. Nothing here can be edited or removed.
      </PageHeader>
      <ForAdministrators of={organization} who="admins and owners read the log">
        {entry !== undefined && <LinkedEntry organizationId={organization.id} number={entry} />}
        <Filters organizationId={organization.id} search={search} />
        <Entries organizationId={organization.id} search={search} />
      </ForAdministrators>
    </>
  );
}

interface Wanted {
  organizationId: string;
  search: AuditSearch;
}

/** The entry that the address asks for, wherever in the log it stands. */
function LinkedEntry({ organizationId, number }: { organizationId: string; number: number }) {
  const entry = useQuery(entryQuery(organizationId, number));
  return (
    <Card
      title={`Entry ${number}`}
      actions={
        <Link to="." search={(before) => ({ ...before, entry: undefined })} className="link text-body">
          Close
        </Link>
      }
    >
      <Loaded query={entry}>
        {(it) => (
          <div className="flex flex-col gap-3">
            <p className="text-body break-words">
              <time dateTime={it.at}>{formatMoment(it.at)}</time>: {it.actor || 'Headrace'} did <code className="font-mono text-code">{it.action}</code> to {it.target_name || it.target_id}
              {it.address && `, from ${it.address}`}.
            </p>
            <Details of={it} />
          </div>
        )}
      </Loaded>
    </Card>
  );
}

const Details = ({ of: entry }: { of: AuditEntry }) => (
  <>
    <Changes of={entry} />
    <p className="pt-2 text-caption break-all text-subtle">
      Entry {entry.number} · id of the thing {entry.target_id} · request {entry.request_id} · seal {entry.seal}
    </p>
  </>
);

const Exports = ({ organizationId, search }: Wanted) => (
  <>
    <a className="link text-body" download href={exportAddress(organizationId, search, 'csv')}>
      Export as CSV
    </a>
    <a className="link text-body" download href={exportAddress(organizationId, search, 'jsonl')}>
      Export as JSON lines
    </a>
  </>
);

function Entries({ organizationId, search }: Wanted) {
  const entries = useInfiniteQuery(auditQuery(organizationId, search));
  return (
    <Loaded query={entries}>
      {(items) =>
        items.length === 0 ? (
          <Empty icon={<ScrollText aria-hidden />} title="No entries">
            Nothing in the audit log fits these filters.
          </Empty>
        ) : (
          <>
            <EntryTable entries={items} />
            <LoadMore query={entries} of="change" />
          </>
        )
      }
    </Loaded>
  );
}

const EntryTable = ({ entries }: { entries: readonly AuditEntry[] }) => (
  <Table
    label="Audit log"
    head={
      <>
        <Th>Time</Th>
        <Th>Who</Th>
        <Th>Action</Th>
        <Th>What</Th>
        <Th>From</Th>
        <Th>
          <span className="sr-only">Details</span>
        </Th>
      </>
    }
  >
    {entries.map((entry) => (
      <EntryRow key={entry.id} of={entry} />
    ))}
  </Table>
);

function EntryRow({ of: entry }: { of: AuditEntry }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Tr>
        <Td className="whitespace-nowrap text-muted">
          <time dateTime={entry.at}>{formatMoment(entry.at)}</time>
        </Td>
        <Td className="max-w-60 truncate">{entry.actor || 'Headrace'}</Td>
        <Td>
          <code className="font-mono text-code">{entry.action}</code>
        </Td>
        <Td className="max-w-60 truncate">{entry.target_name}</Td>
        <Td className="text-muted">{entry.address}</Td>
        <Td className="text-right">
          <Button size="small" variant="ghost" aria-expanded={open} aria-label={`Details of ${entry.action} ${entry.target_name}`} onClick={() => setOpen(!open)}>
            Details
          </Button>
        </Td>
      </Tr>
      {open && (
        <Tr>
          <Td colSpan={6} className="bg-sunken">
            <Details of={entry} />
            <Link to="." search={(before) => ({ ...before, entry: entry.number })} className="link text-caption">
              Link to this entry
            </Link>
          </Td>
        </Tr>
      )}
    </>
  );
}
