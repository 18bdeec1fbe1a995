import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { GitCompareArrows } from 'lucide-react';
import { type FormEvent, useState } from 'react';

import { modelsQuery, versionsQuery } from '@/api/models';
import { messageOf } from '@/api/problem';
import type { Deployment, Model, ModelVersion } from '@/api/types';
import { formatMoment } from '@/lib/format';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Select } from '@/ui/Field';
import { GuardedButton } from '@/ui/Guarded';

import { useNewRevision } from './useNewRevision';

/** Moves a deployment to another version, of the same model or another. */
export function ChangeVersion({ deployment }: { deployment: Deployment }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <GuardedButton needs="deployments:write" icon={<GitCompareArrows aria-hidden />} onClick={() => setIsOpen(true)}>
        Change version
      </GuardedButton>
      <Dialog open={isOpen} onOpenChange={setIsOpen} title={`Change what ${deployment.name} serves`}>
        <ChangeForm deployment={deployment} close={() => setIsOpen(false)} />
      </Dialog>
    </>
  );
}

function ChangeForm({ deployment, close }: { deployment: Deployment; close: () => void }) {
  const { model_version: now } = deployment.revision;
  const [modelId, setModelId] = useState(now.model_id);
  const [versionId, setVersionId] = useState<string | null>(null);
  const { data: models = [] } = useInfiniteQuery(modelsQuery(deployment.project_id));
  const { data: versions = [] } = useInfiniteQuery(versionsQuery(deployment.project_id, modelId));
  const chosen = versions.find((it) => it.id === versionId) ?? versions[0];
  const newRevision = useNewRevision(deployment);
  const changing = useMutation({ mutationFn: (version: ModelVersion) => newRevision({ model_version_id: version.id }), onSuccess: close });
  const isSame = chosen?.id === now.id;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (chosen) changing.mutate(chosen);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <ModelSelect models={models} now={now} value={modelId} onChange={setModelId} />
      <Field label="Version">
        {(control) => (
          <Select {...control} value={chosen?.id ?? ''} onChange={(event) => setVersionId(event.target.value)}>
            {versions.map((it) => (
              <option key={it.id} value={it.id}>
                v{it.number}, {formatMoment(it.created_at)}
                {it.id === now.id ? ' (serving now)' : ''}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <p className="text-body text-muted">{effectWords(deployment, chosen)}</p>
      <FormProblem message={changing.error ? messageOf(changing.error) : undefined} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="primary" busy={changing.isPending} disabled={!chosen || isSame}>
          Change version
        </Button>
      </DialogActions>
    </form>
  );
}

const ModelSelect = ({ models, now, value, onChange }: { models: readonly Model[]; now: ModelVersion; value: string; onChange: (id: string) => void }) => (
  <Field label="Model">
    {(control) => (
      <Select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
        {!models.some((it) => it.id === now.model_id) && <option value={now.model_id}>{now.model_name}</option>}
        {models
          .filter((it) => it.versions > 0)
          .map((it) => (
            <option key={it.id} value={it.id}>
              {it.name}
            </option>
          ))}
      </Select>
    )}
  </Field>
);

function effectWords({ name, revision: { model_version: now } }: Deployment, chosen: ModelVersion | undefined): string {
  if (!chosen) return 'This model has no version yet.';
  if (chosen.id === now.id) return `${name} serves ${now.model_name} v${now.number} now. Choose another version.`;
  return `Moves ${name} from ${now.model_name} v${now.number} to ${chosen.model_name} v${chosen.number}. The old version answers until the new one is ready.`;
}
