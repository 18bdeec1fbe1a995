import { useQuery } from '@tanstack/react-query';

import { everyDeploymentQuery } from '@/api/deployments';
import { Checkbox, Field, Textarea } from '@/ui/Field';

import type { BoundsDraft } from './bounds';

interface BoundFieldsProps {
  projectId: string;
  draft: BoundsDraft;
  onChange: (draft: BoundsDraft) => void;
  /** Ids of deployments the key is for already, some of which may be gone. */
  held?: readonly string[] | undefined;
}

/** What a key is for and where it may be used. */
export function BoundFields({ projectId, draft, onChange, held = [] }: BoundFieldsProps) {
  const { data: deployments = [], isSuccess } = useQuery(everyDeploymentQuery(projectId));
  const gone = isSuccess ? held.filter((id) => !deployments.some((it) => it.id === id)) : [];
  const choices = [...deployments.map(({ id, name }) => ({ id, name })), ...gone.map((id) => ({ id, name: `A deleted deployment (${id.slice(-6)})` }))];
  const tick = (id: string, ticked: boolean) => onChange({ ...draft, deployments: [...draft.deployments.filter((it) => it !== id), ...(ticked ? [id] : [])] });
  return (
    <div className="flex flex-col gap-4">
      {choices.length > 0 && (
        <fieldset className="flex flex-col gap-2">
          <legend className="mb-1.5 text-label">Only for</legend>
          <p className="text-caption text-subtle">None ticked: for every deployment of this project, those to come too.</p>
          <div className="flex max-h-40 flex-col gap-2 overflow-y-auto">
            {choices.map(({ id, name }) => (
              <Checkbox key={id} label={name} checked={draft.deployments.includes(id)} onChange={(event) => tick(id, event.target.checked)} />
            ))}
          </div>
        </fieldset>
      )}
      <Field label="Networks" hint="One a line, such as 10.0.0.0/8 or 2001:db8::/32; empty for anywhere. Elsewhere calls are answered 403.">
        {(control) => (
          <Textarea
            {...control}
            spellCheck={false}
            autoComplete="off"
            className="font-mono"
            value={draft.networks}
            onChange={(event) => onChange({ ...draft, networks: event.target.value })}
          />
        )}
      </Field>
    </div>
  );
}
