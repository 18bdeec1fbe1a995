import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';

import { deploymentQuery } from '@/api/deployments';
import { ApiError } from '@/api/problem';
import { useProject } from '@/api/projects';
import type { Deployment } from '@/api/types';
import { Empty } from '@/ui/Empty';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { PageSkeleton } from '@/ui/Skeleton';
import { DeploymentPill } from '@/ui/StatusPill';
import { Tabs } from '@/ui/Tabs';

import { ChangeVersion } from './ChangeVersion';
import { CodeSnippets } from './CodeSnippets';
import { DeleteDeployment } from './DeleteDeployment';
import { Figures } from './Figures';
import { Requests } from './monitoring/Requests';
import { useChosen } from './playground/CompareMenu';
import { TryIt } from './playground/TryIt';
import { usePlayground } from './playground/usePlayground';
import { Revisions } from './Revisions';
import { Rollout } from './Rollout';
import type { DeploymentSearch } from './search';
import { type Edits, SettingsForm } from './settings/SettingsForm';
import { Tuning } from './tuning/Tuning';
import { Workers } from './Workers';

const route = getRouteApi('/session/o/$org/p/$project/deployments/$deployment');

export function DeploymentPage() {
  const project = useProject();
  const { deployment: id } = route.useParams();
  const deployment = useQuery(deploymentQuery(project.id, id));
  if (deployment.error instanceof ApiError && deployment.error.status === 404) return <NoSuchDeployment />;
  return (
    <Loaded query={deployment} skeleton={<PageSkeleton />}>
      {(it) => <DeploymentView deployment={it} />}
    </Loaded>
  );
}

function DeploymentView({ deployment }: { deployment: Deployment }) {
  const project = useProject();
  const { name, state, state_reason: reason, revision } = deployment;
  return (
    <div className="flex flex-col gap-6">
      <PageHeader
        title={name}
        context={project.name}
        above={<BackToDeployments />}
        beside={<DeploymentPill state={state} reason={reason} />}
        actions={
          <>
            <DeleteDeployment deployment={deployment} />
            <ChangeVersion deployment={deployment} />
          </>
        }
      />
      <div>
        <Rollout deployment={deployment} />
        <Figures deployment={deployment} />
      </div>
      {/* Another model version takes other inputs: its form starts afresh. */}
      <DeploymentTabs key={revision.model_version.id} deployment={deployment} />
    </div>
  );
}

function DeploymentTabs({ deployment }: { deployment: Deployment }) {
  const { tab = 'try', range = '1h', compare } = route.useSearch();
  const navigate = route.useNavigate();
  // Above the tabs, as the playground is: looking at another one loses nothing.
  const [edits, setEdits] = useState<Edits>({});
  const playground = usePlayground(deployment);
  const others = useChosen(deployment, compare);
  const choose = (chosen: readonly Deployment[]) => show({ compare: chosen.map((it) => it.name).join(',') || undefined });
  const request = tab === 'code' ? playground.request() : null;
  const show = (search: DeploymentSearch) => void navigate({ search: (now) => ({ ...now, ...search }), replace: true, resetScroll: false });
  return (
    <Tabs
      label="About this deployment"
      value={tab}
      onChange={(next) => show({ tab: next })}
      tabs={[
        { name: 'try', label: 'Try it', content: <TryIt deployment={deployment} playground={playground} comparing={{ others, choose }} /> },
        { name: 'requests', label: 'Requests', content: <Requests deployment={deployment} range={range} onRange={(next) => show({ range: next })} /> },
        { name: 'settings', label: 'Settings', content: <Settings deployment={deployment} edits={edits} onEdit={setEdits} /> },
        { name: 'code', label: 'Code', content: <CodeSnippets deployment={deployment} request={request} /> },
        { name: 'revisions', label: 'Revisions', content: <Revisions deployment={deployment} /> },
        { name: 'workers', label: 'Workers', content: <Workers workers={deployment.workers} /> },
      ]}
    />
  );
}

const Settings = (props: { deployment: Deployment; edits: Edits; onEdit: (edits: Edits) => void }) => (
  <div className="flex flex-col gap-6">
    <Tuning deployment={props.deployment} />
    <SettingsForm {...props} />
  </div>
);

function BackToDeployments() {
  const project = useProject();
  return (
    <Link to="/o/$org/p/$project/deployments" params={{ org: project.organization_slug, project: project.slug }} className="link">
      Deployments
    </Link>
  );
}

const NoSuchDeployment = () => (
  <div className="flex flex-col gap-6">
    <PageHeader title="Deployment not found" above={<BackToDeployments />} />
    <Empty title="This deployment does not exist">It may have been deleted, or the address is mistyped.</Empty>
  </div>
);
