import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';

import type { Traffic, Usage } from '@/api/types';
import { Chart } from '@/charts/Chart';
import { DAYS as DAYS_AXIS } from '@/charts/series';
import { formatBytes, formatCompact, formatCount, formatShare } from '@/lib/format';
import { useNow } from '@/lib/useNow';
import { Card } from '@/ui/Card';
import { ForAdministrators } from '@/ui/ForAdministrators';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { Skeleton } from '@/ui/Skeleton';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { dailySeries } from './dailySeries';
import { type Organization, useOrganization } from '@/api/organization';
import { useTraffic, useUsage } from './organizationQueries';

const DAYS = 30;

/** How much the organization holds, and how much it is asked. */
export function UsagePage() {
  const organization = useOrganization();
  if (!organization) return null;
  return (
    <>
      <PageHeader title="Usage" context={organization.name}>
        What {organization.name} holds over all of its projects, and what was asked of it.
      </PageHeader>
      <ForAdministrators of={organization} who="admins and owners see what all projects hold, private ones too">
        <Holdings organizationId={organization.id} />
        <Requests organization={organization} />
      </ForAdministrators>
    </>
  );
}

const FIGURES: readonly (readonly [keyof Usage, string, (value: number) => string])[] = [
  ['members', 'People', formatCount],
  ['service_accounts', 'Service accounts', formatCount],
  ['projects', 'Projects', formatCount],
  ['models', 'Models', formatCount],
  ['model_versions', 'Versions', formatCount],
  ['deployments', 'Deployments', formatCount],
  ['keys', 'Working keys', formatCount],
  ['stored_bytes', 'Stored', formatBytes],
];

function Holdings({ organizationId }: { organizationId: string }) {
  const usage = useUsage(organizationId);
  return (
    <Loaded query={usage} skeleton={<Skeleton className="h-40 w-full" />}>
      {(data) => (
        <dl aria-label="Holdings" className="grid grid-cols-2 gap-3 sm:grid-cols-4 sm:gap-4">
          {FIGURES.map(([name, label, format]) => (
            <div key={name} className="flex flex-col-reverse justify-end gap-1 rounded-card border border-border bg-surface p-3 sm:p-4">
              <dt className="text-caption text-muted sm:text-body">{label}</dt>
              <dd className="text-display tabular-nums">{format(data[name])}</dd>
            </div>
          ))}
        </dl>
      )}
    </Loaded>
  );
}

function Requests({ organization }: { organization: Organization }) {
  const traffic = useTraffic(organization.id, DAYS);
  return (
    <Card title={`Requests of the last ${DAYS} days`}>
      <Loaded query={traffic} skeleton={<Skeleton className="h-52 w-full" />}>
        {(data) =>
          data.days.length === 0 ? (
            <p className="py-8 text-center text-body text-muted">Nobody called a deployment in these days.</p>
          ) : (
            <div className="flex flex-col gap-6">
              <Daily traffic={data} />
              <Projects traffic={data} org={organization.slug} />
            </div>
          )
        }
      </Loaded>
    </Card>
  );
}

function Daily({ traffic }: { traffic: Traffic }) {
  const now = useNow();
  const data = useMemo(() => dailySeries(traffic, DAYS, now), [traffic, now]);
  return <Chart title="Requests per day" data={data} axis={DAYS_AXIS} format={formatCompact} />;
}

const HEAD = (
  <>
    <Th>Project</Th>
    <Th numeric>Requests</Th>
    <Th numeric>Errors</Th>
    <Th numeric>Of all</Th>
  </>
);

function Projects({ traffic: { projects }, org }: { traffic: Traffic; org: string }) {
  const all = projects.reduce((sum, it) => sum + it.requests, 0);
  return (
    <Table label="Requests by project" head={HEAD}>
      {projects.map((it) => (
        <Tr key={it.project_id}>
          <Td className="max-w-72 break-words">
            <Link to="/o/$org/p/$project" params={{ org, project: it.slug }} className="link">
              {it.name}
            </Link>
          </Td>
          <Td numeric>{formatCount(it.requests)}</Td>
          <Td numeric>{formatCount(it.errors)}</Td>
          <Td numeric>{formatShare(it.requests / all)}</Td>
        </Tr>
      ))}
    </Table>
  );
}
