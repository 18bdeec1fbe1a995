import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Box, FolderPlus, Plus, Rocket, SearchX } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { useMe } from '@/api/session';
import type { Project } from '@/api/types';
import { plural } from '@/lib/format';
import { Button } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Input } from '@/ui/Field';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { Skeleton } from '@/ui/Skeleton';

import { NewProjectDialog } from './NewProjectDialog';
import { useProjectSearch } from './queries';

/** The projects of an organization. */
export function ProjectsPage() {
  const { org } = useParams({ strict: false });
  const organization = useMe().organizations.find((it) => it.slug === org);
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
      <FoundProjects organizationId={organization.id} create={create} />
      <NewProjectDialog organization={organization} open={creating} onOpenChange={setCreating} />
    </>
  );
}

/** The list, and the search that stands in the address. */
function FoundProjects({ organizationId, create }: { organizationId: string; create: ReactNode }) {
  const { q = '' } = useSearch({ strict: false });
  const navigate = useNavigate();
  const projects = useProjectSearch(organizationId, q);
  const search = (text: string) => void navigate({ to: '.', search: { q: text || undefined }, replace: true });
  return (
    <div className="flex flex-col gap-4">
      <Input
        type="search"
        aria-label="Search projects"
        placeholder="Search by name, description or tag"
        maxLength={200}
        className="max-w-md"
        defaultValue={q}
        onChange={(event) => search(event.target.value)}
      />
      <Loaded query={projects} skeleton={<CardsSkeleton />}>
        {(items) => {
          if (items.length > 0) return <ProjectGrid projects={items} />;
          return q ? <NothingFound /> : <NoProjects action={create} />;
        }}
      </Loaded>
      {projects.hasNextPage && <LoadMore query={projects} of="project" />}
    </div>
  );
}

const NothingFound = () => (
  <Empty icon={<SearchX />} title="No project matches">
    Every word must begin a word of the name, the description or the tags.
  </Empty>
);

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

const NoProjects = ({ action }: { action: ReactNode }) => (
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
