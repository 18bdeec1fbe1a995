import { Link, useParams } from '@tanstack/react-router';
import { Box, FolderPlus, Plus, Rocket } from 'lucide-react';
import { useState } from 'react';

import { useProjects } from '@/api/projects';
import { useMe } from '@/api/session';
import type { Project } from '@/api/types';
import { plural } from '@/lib/format';
import { Button } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { Skeleton } from '@/ui/Skeleton';

import { NewProjectDialog } from './NewProjectDialog';

/** The projects of an organization. */
export function ProjectsPage() {
  const { org } = useParams({ strict: false });
  const organization = useMe().organizations.find((it) => it.slug === org);
  const projects = useProjects(organization?.id);
  const [creating, setCreating] = useState(false);
  if (!organization) return null;
  const create = (
    <Button variant="primary" icon={<Plus />} onClick={() => setCreating(true)}>
      New project
    </Button>
  );
  return (
    <>
      <PageHeader title="Projects" context={organization.name} actions={create}>
        {organization.name}. Each project has its own models, deployments and keys.
      </PageHeader>
      <Loaded query={projects} skeleton={<CardsSkeleton />}>
        {(items) => (items.length > 0 ? <ProjectGrid projects={items} /> : <NoProjects action={create} />)}
      </Loaded>
      <NewProjectDialog organization={organization} open={creating} onOpenChange={setCreating} />
    </>
  );
}

const ProjectGrid = ({ projects }: { projects: Project[] }) => (
  <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,19rem),1fr))] gap-4">
    {projects.map((project) => (
      <li key={project.id}>
        <ProjectCard project={project} />
      </li>
    ))}
  </ul>
);

const ProjectCard = ({ project }: { project: Project }) => (
  <article className="relative flex h-full min-h-36 flex-col gap-1 rounded-card border border-border bg-surface p-4 transition-colors duration-100 hover:border-border-strong">
    <h2 className="text-section break-words">
      <Link
        to="/o/$org/p/$project"
        params={{ org: project.organization_slug, project: project.slug }}
        // The whole card is the link's target.
        className="after:absolute after:inset-0 after:rounded-card"
      >
        {project.name}
      </Link>
    </h2>
    <p className="line-clamp-2 text-body break-words text-muted">{project.description || 'No description'}</p>
    <p className="mt-auto flex flex-wrap items-center gap-x-4 gap-y-1 pt-4 text-caption text-subtle">
      <span className="inline-flex items-center gap-1.5">
        <Box aria-hidden className="size-3.5" />
        {plural(project.models, 'model')}
      </span>
      <span className="inline-flex items-center gap-1.5">
        <Rocket aria-hidden className="size-3.5" />
        {plural(project.deployments, 'deployment')}
      </span>
      <span className="ml-auto">
        <RelativeTime time={project.created_at} />
      </span>
    </p>
  </article>
);

const NoProjects = ({ action }: { action: React.ReactNode }) => (
  <Empty icon={<FolderPlus />} title="No projects yet" action={action}>
    A project keeps the models, deployments and keys of one product or team together.
  </Empty>
);

const CardsSkeleton = () => (
  <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,19rem),1fr))] gap-4">
    {[0, 1, 2].map((card) => (
      <Skeleton key={card} className="h-36 rounded-card!" />
    ))}
  </div>
);
