import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { revisionsQuery } from '@/api/deployments';
import { useProject } from '@/api/projects';
import type { Deployment, Revision } from '@/api/types';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { GuardedButton } from '@/ui/Guarded';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { settingsWords } from './settings/words';
import { useNewRevision } from './useNewRevision';

/** Everything a deployment has served, newest first, and the way back to any of it. */
export function Revisions({ deployment }: { deployment: Deployment }) {
  const revisions = useInfiniteQuery(revisionsQuery(deployment.project_id, deployment.id));
  return (
    <Loaded query={revisions}>
      {(items) => (
        <>
          <Table
            label="Revisions"
            head={
              <>
                <Th>Revision</Th>
                <Th>Model version</Th>
                <Th>Settings</Th>
                <Th numeric>Created</Th>
                <Th>
                  <span className="sr-only">Actions</span>
                </Th>
              </>
            }
          >
            {items.map((it) => (
              <RevisionRow key={it.id} revision={it} deployment={deployment} />
            ))}
          </Table>
          <LoadMore query={revisions} of="revision" />
        </>
      )}
    </Loaded>
  );
}

function RevisionRow({ revision, deployment }: { revision: Revision; deployment: Deployment }) {
  const project = useProject();
  const { number, model_version: version, created_at: created } = revision;
  const isCurrent = revision.id === deployment.revision.id;
  return (
    <Tr>
      <Td className="whitespace-nowrap">
        <span className="mr-3 font-medium">{number}</span>
        {isCurrent && <StatusPill tone="ok">Current</StatusPill>}
      </Td>
      <Td className="whitespace-nowrap">
        <Link
          to="/o/$org/p/$project/models/$model"
          params={{ org: project.organization_slug, project: project.slug, model: version.model_id }}
          search={{ version: version.number }}
          className="link"
        >
          {version.model_name} v{version.number}
        </Link>
      </Td>
      <Td className="min-w-52 text-muted">{settingsWords(revision.settings)}</Td>
      <Td numeric className="text-muted">
        <RelativeTime time={created} />
      </Td>
      <Td className="text-right">{!isCurrent && <RollBack revision={revision} deployment={deployment} />}</Td>
    </Tr>
  );
}

function RollBack({ revision, deployment }: { revision: Revision; deployment: Deployment }) {
  const [isOpen, setIsOpen] = useState(false);
  const newRevision = useNewRevision(deployment);
  const { model_version: now } = deployment.revision;
  const { model_version: then, settings, number } = revision;
  return (
    <>
      <GuardedButton needs="deployments:write" size="small" aria-label={`Roll back to revision ${number}`} onClick={() => setIsOpen(true)}>
        Roll back
      </GuardedButton>
      <ConfirmDialog
        open={isOpen}
        onOpenChange={setIsOpen}
        title={`Roll back to revision ${number}?`}
        effect={
          <p>
            Moves {deployment.name} from {now.model_name} v{now.number} to {then.model_name} v{then.number} with the settings of revision {number} ({settingsWords(settings)}). This makes a new
            revision; the current one answers until it is ready.
          </p>
        }
        action="Roll back"
        onConfirm={() => newRevision({ model_version_id: then.id, settings })}
      />
    </>
  );
}
