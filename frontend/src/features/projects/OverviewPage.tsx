import { useInfiniteQuery } from '@tanstack/react-query';
import { ArrowRight } from 'lucide-react';
import type { ReactNode } from 'react';

import { deploymentsQuery } from '@/api/deployments';
import { useProject } from '@/api/projects';
import type { Project } from '@/api/types';
import { formatCompact, formatCount, formatShare } from '@/lib/format';
import { LinkButton } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { RowsSkeleton, Skeleton } from '@/ui/Skeleton';

import { DeploymentRows } from './DeploymentRows';
import { Figure } from './Figure';
import { NextSteps } from './NextSteps';
import { useRequestsByProject, useWorkingKeys } from './queries';

const SHOWN = 6;

/** How a project is doing, and what to do next in it. */
export function OverviewPage() {
  const project = useProject();
  return (
    <>
      <PageHeader title={project.name} context="Overview">
        {project.description}
      </PageHeader>
      <Figures project={project} />
      <Deployments project={project} />
    </>
  );
}

const placeOf = (project: Project) => ({ org: project.organization_slug, project: project.slug });

function Figures({ project }: { project: Project }) {
  const requests = useRequestsByProject(project.organization_id, [project.id]);
  const traffic = requests.of(project.id);
  const keys = useWorkingKeys(project.id);
  const params = placeOf(project);
  return (
    <ul className="grid grid-cols-2 gap-3 sm:grid-cols-4 sm:gap-4">
      <Figure label="Models" value={formatCount(project.models)} to="/o/$org/p/$project/models" params={params} />
      <Figure label="Deployments" value={formatCount(project.deployments)} to="/o/$org/p/$project/deployments" params={params} />
      <Figure
        label={traffic && traffic.errors > 0 ? `Requests a day, ${formatShare(traffic.errors / traffic.requests)} errors` : 'Requests a day'}
        value={traffic ? formatCompact(traffic.requests) : requests.isError ? '–' : <Skeleton className="h-8 w-8" />}
        to="/o/$org/p/$project/deployments"
        params={params}
      />
      <Figure label="API keys" value={keys.isPending ? <Skeleton className="h-8 w-8" /> : keys.data === undefined ? '–' : formatCount(keys.data)} to="/o/$org/p/$project/keys" params={params} />
    </ul>
  );
}

function Deployments({ project }: { project: Project }) {
  const deployments = useInfiniteQuery(deploymentsQuery(project.id));
  return (
    <Loaded query={deployments} skeleton={<RowsSkeleton rows={3} />}>
      {(items) => (
        <div className="flex flex-col gap-6">
          <NextSteps project={project} deployments={items} />
          {items.length > 0 && (
            <Card title="Deployments" padded={false} actions={items.length > SHOWN && <AllDeployments project={project} />}>
              <DeploymentRows deployments={items.slice(0, SHOWN)} params={placeOf(project)} />
            </Card>
          )}
        </div>
      )}
    </Loaded>
  );
}

const AllDeployments = ({ project }: { project: Project }): ReactNode => (
  <LinkButton size="small" variant="ghost" to="/o/$org/p/$project/deployments" params={placeOf(project)}>
    All {formatCount(project.deployments)}
    <ArrowRight aria-hidden />
  </LinkButton>
);
