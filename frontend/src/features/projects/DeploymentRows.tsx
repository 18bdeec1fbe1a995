import { Link } from '@tanstack/react-router';

import type { Deployment } from '@/api/types';
import { classes } from '@/lib/classes';
import { formatCompact, formatMicroseconds } from '@/lib/format';
import { DeploymentPill } from '@/ui/StatusPill';
import { Td, Th, Tr } from '@/ui/Table';

import { useLastHour } from './queries';

const WIDE = 'hidden sm:table-cell';

interface Place {
  org: string;
  project: string;
}

/** Deployments with their state and the traffic of the last hour. */
export const DeploymentRows = ({ deployments, params }: { deployments: Deployment[]; params: Place }) => (
  <div className="overflow-x-auto">
    <table className="w-full border-collapse text-table">
      <thead>
        <tr>
          <Th>Name</Th>
          <Th>State</Th>
          <Th numeric>Requests, last hour</Th>
          <Th numeric className={WIDE}>
            Errors
          </Th>
          <Th numeric className={WIDE}>
            p95
          </Th>
        </tr>
      </thead>
      <tbody>
        {deployments.map((deployment) => (
          <DeploymentRow key={deployment.id} of={deployment} params={params} />
        ))}
      </tbody>
    </table>
  </div>
);

function DeploymentRow({ of: deployment, params }: { of: Deployment; params: Place }) {
  const { data: traffic } = useLastHour(deployment.project_id, deployment.id);
  const { model_version: version } = deployment.revision;
  return (
    <Tr>
      <Td>
        <Link to="/o/$org/p/$project/deployments/$deployment" params={{ ...params, deployment: deployment.id }} className="link font-medium">
          {deployment.name}
        </Link>
        <p className="text-caption text-subtle">
          {version.model_name} v{version.number}
        </p>
      </Td>
      <Td>
        <DeploymentPill state={deployment.state} reason={deployment.state_reason} />
      </Td>
      <Td numeric>{traffic ? formatCompact(traffic.requests) : '–'}</Td>
      <Td numeric className={classes(WIDE, traffic?.errors ? 'text-danger' : 'text-muted')}>
        {traffic ? formatCompact(traffic.errors) : '–'}
      </Td>
      <Td numeric className={classes(WIDE, 'text-muted')}>
        {formatMicroseconds(traffic?.p95_us ?? null)}
      </Td>
    </Tr>
  );
}
