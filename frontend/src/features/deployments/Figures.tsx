import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

import { requestsQuery } from '@/api/deployments';
import { useProject } from '@/api/projects';
import type { Deployment, RequestSummary } from '@/api/types';
import { formatCount, formatMicroseconds, formatShare } from '@/lib/format';
import { Skeleton } from '@/ui/Skeleton';

import { RANGES } from './search';

/** What to know of a deployment at a glance. */
export function Figures({ deployment: { id, revision, workers } }: { deployment: Deployment }) {
  const project = useProject();
  const { data: summary, isPending } = useQuery(requestsQuery(project.id, id, RANGES['1h']));
  const { model_version: version } = revision;
  const ready = workers.filter((it) => it.state === 'ready').length;
  const missing = isPending ? <Skeleton className="h-4 w-16" /> : <span className="text-subtle">Not available</span>;
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-card border border-border bg-border lg:grid-cols-4">
      <Figure name="Serves" note={`revision ${revision.number}`}>
        <Link
          to="/o/$org/p/$project/models/$model"
          params={{ org: project.organization_slug, project: project.slug, model: version.model_id }}
          search={{ version: version.number }}
          className="link break-words"
        >
          {version.model_name} v{version.number}
        </Link>
      </Figure>
      <Figure name="Requests, last hour" note={summary && errorWords(summary)}>
        {summary ? formatCount(summary.totals.requests) : missing}
      </Figure>
      <Figure name="Latency p95, last hour" note={summary && summary.totals.requests > 0 ? `p50 ${formatMicroseconds(summary.totals.p50_us)}` : undefined}>
        {summary ? p95Words(summary) : missing}
      </Figure>
      <Figure name="Workers ready" note={undefined}>
        {ready} of {workers.length}
      </Figure>
    </dl>
  );
}

const Figure = ({ name, note, children }: { name: string; note: string | undefined; children: ReactNode }) => (
  <div className="flex min-w-0 flex-col gap-0.5 bg-surface px-4 py-3">
    <dt className="text-caption text-subtle">{name}</dt>
    <dd className="text-section tabular-nums">{children}</dd>
    {note && <dd className="text-caption text-muted">{note}</dd>}
  </div>
);

const p95Words = ({ totals }: RequestSummary): string => (totals.requests > 0 ? formatMicroseconds(totals.p95_us) : '–');

function errorWords({ totals: { requests, errors } }: RequestSummary): string {
  if (requests === 0) return 'nothing asked yet';
  return errors === 0 ? 'no errors' : `${formatShare(errors / requests)} errors`;
}
