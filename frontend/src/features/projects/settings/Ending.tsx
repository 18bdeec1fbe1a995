import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';

import type { Project } from '@/api/types';
import { Card } from '@/ui/Card';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { GuardedButton } from '@/ui/Guarded';
import { toast } from '@/ui/toast';

import { deleteProject, useArchiving, useForgetProject, useRestoreProject } from '../queries';

/** Archiving, which keeps everything as it is, and deleting, which can be undone for a week. */
export function Ending({ project }: { project: Project }) {
  const archiving = useArchiving(project.id);
  const [deleting, setDeleting] = useState(false);
  const isArchived = project.archived_at !== null;
  const archive = () => archiving.mutate(!isArchived, { onSuccess: () => toast.success(isArchived ? `${project.name} is out of the archive` : `${project.name} is archived`), onError: toast.problem });
  return (
    <Card title="Ending" padded={false}>
      <ul className="divide-y divide-border">
        <Step title={isArchived ? 'Take out of the archive' : 'Archive'} text={isArchived ? 'Things in it can be changed again.' : 'It can be read, and nothing in it changes. Its deployments go on answering.'}>
          <GuardedButton needs="projects:delete" inArchived busy={archiving.isPending} onClick={archive}>
            {isArchived ? 'Take out' : 'Archive'}
          </GuardedButton>
        </Step>
        <Step title="Delete" text="Nobody finds it any more, and its deployments and keys stop working, at once. Administrators can restore it for 7 days.">
          <GuardedButton needs="projects:delete" inArchived onClick={() => setDeleting(true)}>
            Delete…
          </GuardedButton>
        </Step>
      </ul>
      <Delete project={project} open={deleting} close={() => setDeleting(false)} />
    </Card>
  );
}

const Step = ({ title, text, children }: { title: string; text: string; children: ReactNode }) => (
  <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 px-4 py-3">
    <div className="min-w-0 flex-1 basis-60">
      <h3 className="text-label">{title}</h3>
      <p className="text-body text-muted">{text}</p>
    </div>
    {children}
  </li>
);

function Delete({ project, open, close }: { project: Project; open: boolean; close: () => void }) {
  const navigate = useNavigate();
  const forget = useForgetProject();
  const restoring = useRestoreProject();
  const undo = () => restoring.mutate(project.id, { onSuccess: () => toast.success(`${project.name} is back`), onError: toast.problem });
  const remove = async () => {
    await deleteProject(project.id);
    await navigate({ to: '/o/$org', params: { org: project.organization_slug } });
    toast.success(`${project.name} was deleted`, { action: { label: 'Undo', onClick: undo } });
    await forget();
  };
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={close}
      title={`Delete ${project.name}?`}
      effect="Its deployments stop being served, its keys stop working and its batch jobs stop, at once and for everybody. For 7 days it can be restored from the list of deleted projects."
      action="Delete project"
      nameToType={project.name}
      onConfirm={remove}
    />
  );
}
