import { Link } from '@tanstack/react-router';
import { Rocket } from 'lucide-react';

import { useProject } from '@/api/projects';
import type { Model } from '@/api/types';

/** Where a model answers now, each deployment with the version it serves. */
export function Serving({ deployments }: Pick<Model, 'deployments'>) {
  const project = useProject();
  if (deployments.length === 0) return <span className="text-subtle">Not deployed</span>;
  return (
    <ul className="flex flex-wrap gap-1.5">
      {deployments.map(({ id, name, version }) => (
        <li key={id}>
          <Link
            to="/o/$org/p/$project/deployments/$deployment"
            params={{ org: project.organization_slug, project: project.slug, deployment: id }}
            className="inline-flex h-6 max-w-56 items-center gap-1.5 rounded-full bg-accent-soft px-2 text-caption font-medium text-accent hover:text-accent-hover"
          >
            <Rocket aria-hidden className="size-3 shrink-0" />
            <span className="truncate">{name}</span> v{version}
          </Link>
        </li>
      ))}
    </ul>
  );
}
