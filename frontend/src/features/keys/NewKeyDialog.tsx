import { useState } from 'react';
import { useForm } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import { useProject } from '@/api/projects';
import type { Key } from '@/api/types';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input, Select } from '@/ui/Field';

import { BoundFields } from './BoundFields';
import { boundsOf, NO_BOUNDS } from './bounds';
import { LimitFields, type LimitForm } from './LimitFields';
import { limitsOf, NO_LIMITS } from './limits';
import { useCreateKey, useServiceAccounts } from './queries';
import { ScopeFields } from './ScopeFields';
import { SecretOnce } from './SecretOnce';

interface NewKeyDialogProps {
  projectId: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** Creates a key, then shows its secret for the only time; while it is shown the dialog closes only on purpose. */
export const NewKeyDialog = ({ open, ...rest }: NewKeyDialogProps) => (open ? <OpenDialog {...rest} /> : null);

function OpenDialog({ projectId, onOpenChange }: Omit<NewKeyDialogProps, 'open'>) {
  const creating = useCreateKey(projectId);
  const close = () => onOpenChange(false);
  if (creating.data) {
    return (
      <Dialog open onOpenChange={onOpenChange} dismissible={false} title="Store the key now" description="This is the only time it is shown. Headrace keeps a fingerprint, not the key.">
        <SecretOnce created={creating.data} done={close} />
      </Dialog>
    );
  }
  return (
    <Dialog open onOpenChange={onOpenChange} title="Create key" description="Make one for each program that calls this project.">
      <NewKeyForm projectId={projectId} creating={creating} cancel={close} />
    </Dialog>
  );
}

interface NewKeyForm extends LimitForm {
  name: string;
  scopes: Key['scopes'];
  days: string;
  owner: string;
}

const LIFETIMES = [
  { days: '30', label: '30 days' },
  { days: '90', label: '90 days' },
  { days: '365', label: '1 year' },
  { days: '', label: 'Never' },
];

function NewKeyForm({ projectId, creating, cancel }: { projectId: string; creating: ReturnType<typeof useCreateKey>; cancel: () => void }) {
  const { register, handleSubmit, formState } = useForm<NewKeyForm>({ defaultValues: { scopes: ['infer'], days: '90', owner: '', limits: NO_LIMITS } });
  const [bounds, setBounds] = useState(NO_BOUNDS);
  const [limiting, setLimiting] = useState(false);
  const { data: machines = [] } = useServiceAccounts(useProject().organization_id);
  const refusal = refusalOf(creating.error, ['name', 'scopes', 'expires_at', 'owner_id']);
  const { errors } = formState;
  const submit = handleSubmit(({ name, days, limits, scopes, owner }) =>
    creating.mutate({ name, scopes, expires_at: inDays(days), limits: limitsOf(limits), owner_id: owner || null, ...boundsOf(bounds) }),
  );
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
      <Field label="Name" hint="The program that will use it, such as “checkout service”." error={errors.name?.message ?? refusal.fields.name}>
        {(control) => <Input {...control} maxLength={64} autoComplete="off" {...register('name', { required: 'Give the key a name.', setValueAs: trimmed })} />}
      </Field>
      <ScopeFields
        field={register('scopes', { validate: (it) => it.length > 0 || 'A key that may do nothing is of no use.' })}
        error={errors.scopes?.message ?? refusal.fields.scopes}
      />
      <Field label="Acts for" hint="It may do no more than whom it acts for. A service account stays when people leave." error={refusal.fields.owner_id}>
        {(control) => (
          <Select {...control} {...register('owner')}>
            <option value="">You</option>
            {machines
              .filter((it) => !it.disabled_at)
              .map((it) => (
                <option key={it.id} value={it.id}>
                  {it.name}, {it.role}
                </option>
              ))}
          </Select>
        )}
      </Field>
      <Field label="Expires after" error={refusal.fields.expires_at}>
        {(control) => (
          <Select {...control} {...register('days')}>
            {LIFETIMES.map(({ days, label }) => (
              <option key={label} value={days}>
                {label}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {/* Opened where something in it is to be mended, or nobody would see what holds the form back. */}
      <details open={limiting || errors.limits !== undefined} onToggle={(event) => setLimiting(event.currentTarget.open)}>
        <summary className="cursor-pointer text-label">Limits</summary>
        <div className="pt-3">
          <LimitFields register={register} errors={errors} />
        </div>
      </details>
      <details>
        <summary className="cursor-pointer text-label">Deployments and networks</summary>
        <div className="pt-3">
          <BoundFields projectId={projectId} draft={bounds} onChange={setBounds} />
        </div>
      </details>
      <FormProblem message={refusal.message} />
      <DialogActions>
        <Button onClick={cancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={creating.isPending}>
          Create key
        </Button>
      </DialogActions>
    </form>
  );
}

/** The moment `days` days from now; null for "never". */
const inDays = (days: string): string | null => (days === '' ? null : new Date(Date.now() + Number(days) * 86_400_000).toISOString());
