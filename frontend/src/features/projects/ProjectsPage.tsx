import { useSearch } from '@tanstack/react-router';
import { FolderPlus, Plus, SearchX } from 'lucide-react';
import type { ReactNode } from 'react';

import { administers, type Organization, useOrganization } from '@/api/organization';
import type { Project } from '@/api/types';
import { Button, LinkButton } from '@/ui/Button';
import { Empty } from '@/ui/Empty';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { PageHeader } from '@/ui/PageHeader';
import { Skeleton } from '@/ui/Skeleton';

import { FilterBar } from './FilterBar';
import { ProjectCard } from './ProjectCard';
import { useProjectSearch, useRequestsByProject } from './queries';
import { parseFilters } from './search';

/** The projects of an organization. */
export function ProjectsPage() {
  const organization = useOrganization();
  if (!organization) return null;
  const create =
    organization.role === 'viewer' ? (
      <Button variant="primary" icon={<Plus aria-hidden />} refusal="This needs the role developer; yours is viewer.">
        New project
      </Button>
    ) : (
      <LinkButton variant="primary" icon={<Plus aria-hidden />} to="/o/$org/new-project" params={{ org: organization.slug }}>
        New project
      </LinkButton>
    );
  return (
    <>
      <PageHeader title="Projects" context={organization.name} actions={create}>
        {organization.name}. Each project has its own models, deployments and keys.
      </PageHeader>
      <FoundProjects key={organization.id} organization={organization} create={create} />
    </>
  );
}

function FoundProjects({ organization, create }: { organization: Organization; create: ReactNode }) {
  const filters = parseFilters(useSearch({ strict: false }));
  const projects = useProjectSearch(organization.id, filters);
  const isFiltered = Object.values(filters).some((it) => it !== undefined);
  return (
    <div className="flex flex-col gap-4">
      <FilterBar filters={filters} mayRestore={administers(organization)} />
      <Loaded query={projects} skeleton={<CardsSkeleton />}>
        {(items) => {
          if (items.length > 0) return <ProjectGrid organizationId={organization.id} projects={items} />;
          return isFiltered ? <NothingFound /> : <NoProjects action={create} />;
        }}
      </Loaded>
      {projects.hasNextPage && <LoadMore query={projects} of="project" />}
    </div>
  );
}

const NothingFound = () => (
  <Empty icon={<SearchX />} title="No project matches">
    Every word must begin a word of the name, the description or the tags, and every tag must be there.
  </Empty>
);

function ProjectGrid({ organizationId, projects }: { organizationId: string; projects: Project[] }) {
  const requests = useRequestsByProject(
    organizationId,
    projects.filter((it) => !it.deleted_at).map((it) => it.id),
  );
  return (
    <>
      {requests.isError && (
        <p role="status" className="mb-3 text-caption text-subtle">
          How much the projects are used is not known at the moment.
        </p>
      )}
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,19rem),1fr))] gap-4">
        {projects.map((project) => (
          <li key={project.id}>
            <ProjectCard project={project} requests={requests.of(project.id)} />
          </li>
        ))}
      </ul>
    </>
  );
}

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
