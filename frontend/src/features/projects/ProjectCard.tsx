import { Link } from '@tanstack/react-router';
import { Activity, Archive, Box, Lock, Rocket } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Project, ProjectRequests } from '@/api/types';
import { formatCompact, formatShare, plural } from '@/lib/format';
import { Button } from '@/ui/Button';
import { RelativeTime } from '@/ui/RelativeTime';
import { toast } from '@/ui/toast';

import { useRestoreProject } from './queries';

const DAYS_KEPT_MS = 7 * 86_400_000;

interface ProjectCardProps {
  project: Project;
  /** Of the last day; undefined while they are not known. */
  requests: ProjectRequests | undefined;
}

/** A project in the list; a deleted one can be brought back. */
export const ProjectCard = ({ project, requests }: ProjectCardProps) => (
  <article className="relative flex h-full min-h-36 flex-col gap-1 rounded-card border border-border bg-surface p-4 transition-colors duration-100 hover:border-border-strong">
    <div className="flex items-start justify-between gap-2">
      <h2 className="min-w-0 text-section break-words">{project.deleted_at ? project.name : <Title project={project} />}</h2>
      {project.visibility === 'private' && <Lock aria-label="Private" className="mt-1 size-4 shrink-0 text-subtle" />}
    </div>
    <p className="line-clamp-2 text-body break-words text-muted">{project.description || 'No description'}</p>
    <Tags project={project} />
    {project.deleted_at ? <Deleted project={project} deletedAt={project.deleted_at} /> : <Figures project={project} requests={requests} />}
  </article>
);

const Title = ({ project }: { project: Project }) => (
  <Link
    to="/o/$org/p/$project"
    params={{ org: project.organization_slug, project: project.slug }}
    // The whole card is the link's target.
    className="after:absolute after:inset-0 after:rounded-card"
  >
    {project.name}
  </Link>
);

const Tags = ({ project }: { project: Project }) =>
  project.tags.length > 0 && (
    <ul aria-label="Tags" className="relative z-10 flex flex-wrap gap-1.5 pt-1 empty:hidden">
      {project.tags.map((tag) => (
        <li key={tag}>
          <Link
            to="."
            search={(before) => ({ ...before, tag: [tag] })}
            aria-label={`Projects with the tag ${tag}`}
            className="inline-block rounded-full bg-sunken px-2 py-0.5 text-caption text-muted hover:text-text"
          >
            {tag}
          </Link>
        </li>
      ))}
    </ul>
  );

const Figures = ({ project, requests }: ProjectCardProps) => (
  <p className="mt-auto flex flex-wrap items-center gap-x-4 gap-y-1 pt-4 text-caption text-subtle">
    {project.archived_at && <Figure icon={<Archive aria-hidden className="size-3.5" />}>archived</Figure>}
    <Figure icon={<Box aria-hidden className="size-3.5" />}>{`${plural(project.models, 'model')}, ${plural(project.versions, 'version')}`}</Figure>
    <Figure icon={<Rocket aria-hidden className="size-3.5" />}>{plural(project.deployments, 'deployment')}</Figure>
    {requests && <Figure icon={<Activity aria-hidden className="size-3.5" />}>{trafficWords(requests)}</Figure>}
  </p>
);

const Figure = ({ icon, children }: { icon: ReactNode; children: ReactNode }) => (
  <span className="inline-flex items-center gap-1.5">
    {icon}
    {children}
  </span>
);

/** "1.2K requests a day, 3% errors". */
export const trafficWords = ({ requests, errors }: Pick<ProjectRequests, 'requests' | 'errors'>): string =>
  `${formatCompact(requests)} ${requests === 1 ? 'request' : 'requests'} a day${errors > 0 ? `, ${formatShare(errors / requests)} errors` : ''}`;

function Deleted({ project, deletedAt }: { project: Project; deletedAt: string }) {
  const restoring = useRestoreProject();
  const restore = () => restoring.mutate(project.id, { onSuccess: () => toast.success(`${project.name} is back`), onError: toast.problem });
  return (
    <div className="mt-auto flex flex-wrap items-center justify-between gap-2 pt-4 text-caption text-subtle">
      <span>
        Removed for good <RelativeTime time={new Date(new Date(deletedAt).getTime() + DAYS_KEPT_MS).toISOString()} />
      </span>
      <Button size="small" busy={restoring.isPending} aria-label={`Restore ${project.name}`} onClick={restore}>
        Restore
      </Button>
    </div>
  );
}
