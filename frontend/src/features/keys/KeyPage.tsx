import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';

import { useProject } from '@/api/projects';
import type { Key, KeyHistory, KeyUse } from '@/api/types';
import { Chart } from '@/charts/Chart';
import { DAYS, TIME } from '@/charts/series';
import { formatCompact, formatCount } from '@/lib/format';
import { useNow } from '@/lib/useNow';
import { Card } from '@/ui/Card';
import { Empty } from '@/ui/Empty';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { Segments } from '@/ui/Segments';
import { Skeleton } from '@/ui/Skeleton';
import { StatusPill } from '@/ui/StatusPill';

import { boundWordsOf } from './bounds';
import { historySeries } from './historySeries';
import { LimitsView } from './LimitsView';
import { useKeyAddresses, useKeyHistory, useKeys } from './queries';
import { parseRange, RANGES } from './range';
import { statusOf } from './status';

/** One key: what it is for, and what it did. */
export function KeyPage() {
  const project = useProject();
  const { key: id = '' } = useParams({ strict: false });
  const keys = useKeys(project.id);
  return (
    <Loaded query={keys}>
      {(items) => {
        const key = items.find((it) => it.id === id);
        return key ? <Found projectId={project.id} of={key} /> : <Empty title="No such key">It may belong to another project.</Empty>;
      }}
    </Loaded>
  );
}

function Found({ projectId, of: key }: { projectId: string; of: Key }) {
  const project = useProject();
  const status = statusOf(key, useNow());
  return (
    <div className="flex flex-col gap-6">
      <PageHeader
        title={key.name}
        context={project.name}
        above={
          <Link to="/o/$org/p/$project/keys" params={{ org: project.organization_slug, project: project.slug }} className="link">
            API keys
          </Link>
        }
        beside={<StatusPill tone={status.tone}>{status.word}</StatusPill>}
      >
        <code className="font-mono text-code">hr_{key.key_id}_…</code>
      </PageHeader>
      <Facts of={key} />
      <Use projectId={projectId} of={key} />
      <Addresses projectId={projectId} of={key} />
    </div>
  );
}

function Facts({ of: key }: { of: Key }) {
  const bounds = boundWordsOf(key);
  const facts: [string, ReactNode][] = [
    ['Scopes', key.scopes.join(', ')],
    ['Acts for', key.owner ?? 'nobody: the account is gone'],
    ['Created', <RelativeTime key="created" time={key.created_at} />],
    ['Expires', key.expires_at ? <RelativeTime key="expires" time={key.expires_at} /> : 'never'],
    ['Limits', <LimitsView key="limits" of={key} />],
    ['Where', bounds.length > 0 ? bounds.join('; ') : 'all deployments, from anywhere'],
    ...(key.previous_expires_at ? [['Old secret', <OldSecret key="old" of={key} ends={key.previous_expires_at} />] satisfies [string, ReactNode]] : []),
  ];
  return (
    <Card title="What it is for">
      <dl className="grid grid-cols-1 gap-x-6 gap-y-1 text-body sm:grid-cols-[10rem_minmax(0,1fr)] sm:gap-y-3">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 pb-2 break-words sm:pb-0">{value}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

const OldSecret = ({ of: { old_secret_used_at: usedAt }, ends }: { of: Key; ends: string }) => (
  <>
    ends <RelativeTime time={ends} />; {usedAt ? <>last used <RelativeTime time={usedAt} /></> : 'not used since the rotation'}
  </>
);

function Addresses({ projectId, of: { id } }: { projectId: string; of: Key }) {
  const addresses = useKeyAddresses(projectId, id);
  return (
    <Card title="From where" padded={false}>
      <Loaded query={addresses}>
        {(items) =>
          items.length === 0 ? (
            <p className="p-4 text-center text-body text-muted">From nowhere in the last 90 days.</p>
          ) : (
            <ul aria-label="Addresses" className="max-h-80 divide-y divide-border overflow-y-auto" tabIndex={0}>
              {items.map((it) => (
                <li key={it.address} className="flex flex-wrap items-center justify-between gap-3 px-4 py-2">
                  <code className="font-mono text-code break-all">{it.address}</code>
                  <span className="text-caption text-subtle">
                    <RelativeTime time={it.last_used_at} />
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}

function Use({ projectId, of: { id } }: { projectId: string; of: Key }) {
  const range = parseRange(useSearch({ strict: false }));
  const navigate = useNavigate();
  const history = useKeyHistory(projectId, id, RANGES[range]);
  const options = (['7d', '30d', '90d'] as const).map((value) => ({ value, label: value }));
  return (
    <Card
      title="What it did"
      actions={<Segments label="Time range" value={range} options={options} onChange={(it) => void navigate({ to: '.', search: { range: it === '30d' ? undefined : it }, replace: true })} />}
    >
      <Loaded query={history} skeleton={<Skeleton className="h-64 w-full" />}>
        {(data) => (data.use ? <History history={data} use={data.use} /> : <p className="py-8 text-center text-body text-muted">Nobody called with this key in this time.</p>)}
      </Loaded>
    </Card>
  );
}

function History({ history, use }: { history: KeyHistory; use: KeyUse }) {
  const data = useMemo(() => historySeries(history), [history]);
  const figures: [string, ReactNode][] = [
    ['Requests', formatCount(use.requests)],
    ['Errors', formatCount(use.errors)],
    ['Refused by limits', formatCount(use.refused)],
    ['Last used', <RelativeTime key="last" time={use.last_used_at} />],
  ];
  return (
    <div className="flex flex-col gap-6">
      <dl className="grid grid-cols-2 gap-4 sm:grid-cols-4">
        {figures.map(([name, value]) => (
          <div key={name} className="flex flex-col-reverse justify-end gap-0.5">
            <dt className="text-caption text-muted">{name}</dt>
            <dd className="text-section tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      <Chart title={history.step_s === 3600 ? 'Calls per hour' : 'Calls per day'} data={data} axis={history.step_s === 3600 ? TIME : DAYS} format={formatCompact} />
    </div>
  );
}
