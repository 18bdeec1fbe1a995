import type { UseInfiniteQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { useProject } from '@/api/projects';
import type { Model, ModelVersion } from '@/api/types';
import { classes } from '@/lib/classes';
import { formatBytes } from '@/lib/format';
import { Card } from '@/ui/Card';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { RelativeTime } from '@/ui/RelativeTime';

interface VersionListProps {
  query: UseInfiniteQueryResult<ModelVersion[]>;
  model: Model;
  /** Number of the version on show. */
  shown: number | undefined;
}

/** All versions, newest first; each is a link that shows it. */
export const VersionList = ({ query, model, shown }: VersionListProps) => (
  <Card title="Versions" padded={false}>
    <Loaded query={query}>
      {(versions) => (
        <div className="p-2">
          <ul>
            {versions.map((version) => (
              <VersionItem key={version.id} version={version} model={model} isShown={version.number === shown} />
            ))}
          </ul>
          <div className="px-2 pb-1">
            <LoadMore query={query} of="version" />
          </div>
        </div>
      )}
    </Loaded>
  </Card>
);

function VersionItem({ version, model, isShown }: { version: ModelVersion; model: Model; isShown: boolean }) {
  const project = useProject();
  const serving = model.deployments.filter((it) => it.version === version.number).map((it) => it.name);
  return (
    <li>
      <Link
        to="/o/$org/p/$project/models/$model"
        params={{ org: project.organization_slug, project: project.slug, model: model.id }}
        search={{ version: version.number }}
        replace
        resetScroll={false}
        aria-current={isShown ? 'true' : undefined}
        className={classes('flex flex-col gap-0.5 rounded-control px-3 py-2 hover:bg-sunken', isShown && 'bg-accent-soft')}
      >
        <span className="flex items-baseline justify-between gap-2">
          <span className={classes('text-label', isShown && 'text-accent')}>Version {version.number}</span>
          <span className="text-caption text-muted">
            <RelativeTime time={version.created_at} />
          </span>
        </span>
        <span className="truncate text-caption text-muted">
          {formatBytes(version.size_bytes)} · {version.file_name}
        </span>
        {serving.length > 0 && <span className="truncate text-caption text-ok">Serving {serving.join(', ')}</span>}
      </Link>
    </li>
  );
}
