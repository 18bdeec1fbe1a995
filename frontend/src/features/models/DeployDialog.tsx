import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';

import { createDeployment, deploymentKeys, deploymentsQuery, updateDeployment } from '@/api/deployments';
import { ApiError, messageOf } from '@/api/problem';
import { useProject } from '@/api/projects';
import { refreshProject } from '@/api/refreshProject';
import type { Deployment, ModelVersion } from '@/api/types';
import { isDeploymentName, toName } from '@/lib/names';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input, Select } from '@/ui/Field';

interface DeployDialogProps {
  version: ModelVersion;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

const NEW = '';

/** Puts a version behind a name that applications call: a new one, or one that serves something else today. */
export const DeployDialog = ({ version, open, onOpenChange }: DeployDialogProps) => (
  <Dialog open={open} onOpenChange={onOpenChange} title={`Deploy ${version.model_name} v${version.number}`}>
    <DeployForm version={version} close={() => onOpenChange(false)} />
  </Dialog>
);

function DeployForm({ version, close }: { version: ModelVersion; close: () => void }) {
  const project = useProject();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { data: deployments = [] } = useInfiniteQuery(deploymentsQuery(project.id));
  const [target, setTarget] = useState(NEW);
  const [name, setName] = useState(toName(version.model_name));
  const existing = deployments.find((it) => it.id === target);
  const deploying = useMutation({
    mutationFn: () => (existing ? updateDeployment(project.id, existing.id, { model_version_id: version.id }) : createDeployment(project.id, name, version.id)),
    onSuccess: async (deployment) => {
      queryClient.setQueryData(deploymentKeys.one(project.id, deployment.id), deployment);
      refreshProject(queryClient, project.id);
      await navigate({ to: '/o/$org/p/$project/deployments/$deployment', params: { org: project.organization_slug, project: project.slug, deployment: deployment.id } });
    },
  });
  const rename = (typed: string) => {
    deploying.reset();
    setName(typed);
  };
  const isSame = existing?.revision.model_version.id === version.id;
  const isMisnamed = name !== '' && !isDeploymentName(name);
  const nameFault = existing ? undefined : isMisnamed ? 'Use lower-case letters, digits and hyphens, at most 63 characters.' : nameFaultOf(deploying.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    deploying.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {deployments.length > 0 && <TargetChoice deployments={deployments} value={target} onChange={setTarget} />}
      {existing ? (
        <Effect existing={existing} version={version} isSame={isSame} />
      ) : (
        <Field label="Deployment name" error={nameFault} hint="What applications call: it becomes part of the inference address.">
          {(control) => <Input {...control} value={name} autoComplete="off" spellCheck={false} onChange={(event) => rename(event.target.value)} />}
        </Field>
      )}
      <FormProblem message={deploying.error && !nameFault ? messageOf(deploying.error) : undefined} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="primary" busy={deploying.isPending} disabled={isSame || (!existing && !isDeploymentName(name))}>
          {existing ? 'Update deployment' : 'Deploy'}
        </Button>
      </DialogActions>
    </form>
  );
}

function nameFaultOf(error: Error | null): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  return error.fields['name'] ?? (error.status === 409 ? messageOf(error) : undefined);
}

const TargetChoice = ({ deployments, value, onChange }: { deployments: readonly Deployment[]; value: string; onChange: (id: string) => void }) => (
  <Field label="Deploy as">
    {(control) => (
      <Select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
        <option value={NEW}>A new deployment</option>
        <optgroup label="Update a deployment">
          {deployments.map((it) => (
            <option key={it.id} value={it.id}>
              {it.name} (serves {it.revision.model_version.model_name} v{it.revision.model_version.number})
            </option>
          ))}
        </optgroup>
      </Select>
    )}
  </Field>
);

function Effect({ existing, version, isSame }: { existing: Deployment; version: ModelVersion; isSame: boolean }) {
  const { model_version: now } = existing.revision;
  if (isSame) return <p className="text-body text-muted">{existing.name} serves this version already.</p>;
  return (
    <p className="rounded-control bg-info-soft px-3 py-2 text-body text-info">
      Moves {existing.name} from {now.model_name} v{now.number} to {version.model_name} v{version.number}. The old version answers until the new one is ready.
    </p>
  );
}
