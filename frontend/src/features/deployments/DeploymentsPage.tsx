import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Rocket } from 'lucide-react';

import { deploymentsQuery, requestsQuery } from '@/api/deployments';
import { useProject } from '@/api/projects';
import type { Deployment } from '@/api/types';
import { LinkButton } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { Skeleton } from '@/ui/Skeleton';
import { DeploymentPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { Sparkline } from './Sparkline';
import { RANGES } from './search';

export function DeploymentsPage() {
  const project = useProject();
  const deployments = useInfiniteQuery(deploymentsQuery(project.id));
  return (
    <>
      <PageHeader title="Deployments" context={project.name}>
        Model versions that answer now, each under the name that applications call.
      </PageHeader>
      <Loaded query={deployments}>
        {(items) =>
          items.length === 0 ? (
            <NoDeployments />
          ) : (
            <>
              <DeploymentTable deployments={items} />
              <LoadMore query={deployments} of="deployment" />
            </>
          )
        }
      </Loaded>
    </>
  );
}

function NoDeployments() {
  const project = useProject();
  return (
    <Empty
      icon={<Rocket aria-hidden />}
      title="Nothing is deployed yet"
      action={
        <LinkButton variant="primary" to="/o/$org/p/$project/models" params={{ org: project.organization_slug, project: project.slug }}>
          Choose a model to deploy
        </LinkButton>
      }
      command="headrace deploy model.onnx --name fraud"
    >
      A deployment puts a model version behind a name that applications call. Start from a model.
    </Empty>
  );
}

const DeploymentTable = ({ deployments }: { deployments: readonly Deployment[] }) => (
  <Table
    label="Deployments"
    head={
      <>
        <Th>Name</Th>
        <Th>State</Th>
        <Th>Serves</Th>
        <Th>Requests, last hour</Th>
        <Th numeric>Updated</Th>
      </>
    }
  >
    {deployments.map((deployment) => (
      <DeploymentRow key={deployment.id} deployment={deployment} />
    ))}
  </Table>
);

function DeploymentRow({ deployment: { id, name, state, state_reason: reason, revision, updated_at: updated } }: { deployment: Deployment }) {
  const project = useProject();
  const place = { org: project.organization_slug, project: project.slug };
  const { model_version: version } = revision;
  return (
    <Tr>
      <Td className="max-w-72">
        <Link to="/o/$org/p/$project/deployments/$deployment" params={{ ...place, deployment: id }} className="link block truncate font-medium" title={name}>
          {name}
        </Link>
      </Td>
      <Td>
        <DeploymentPill state={state} reason={reason} />
      </Td>
      <Td className="max-w-64 truncate">
        <Link to="/o/$org/p/$project/models/$model" params={{ ...place, model: version.model_id }} search={{ version: version.number }} className="link">
          {version.model_name} v{version.number}
        </Link>
      </Td>
      <Td>
        <LastHour deploymentId={id} />
      </Td>
      <Td numeric className="text-muted">
        <RelativeTime time={updated} />
      </Td>
    </Tr>
  );
}

function LastHour({ deploymentId }: { deploymentId: string }) {
  const project = useProject();
  const { data, isPending } = useQuery(requestsQuery(project.id, deploymentId, RANGES['1h']));
  if (data) return <Sparkline summary={data} />;
  return isPending ? <Skeleton className="h-3 w-24" /> : <span className="text-subtle">Not available</span>;
}
