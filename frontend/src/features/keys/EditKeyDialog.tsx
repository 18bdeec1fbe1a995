import { useState } from 'react';
import { useForm } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import type { Key } from '@/api/types';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input } from '@/ui/Field';
import { toast } from '@/ui/toast';

import { BoundFields } from './BoundFields';
import { boundsDraftOf, boundsOf } from './bounds';
import { LimitFields, type LimitForm } from './LimitFields';
import { draftOf, limitsOf } from './limits';
import { useUpdateKey } from './queries';

interface EditKeyDialogProps {
  projectId: string;
  of: Key | null;
  close: () => void;
}

/** Changes a key's name, its limits, and what it is for; its scopes are for life. */
export function EditKeyDialog({ projectId, of: key, close }: EditKeyDialogProps) {
  if (!key) return null;
  return (
    <Dialog open onOpenChange={close} title={`Edit ${key.name}`} description="Changes hold within seconds, on all gateways together.">
      <EditKeyForm projectId={projectId} of={key} close={close} />
    </Dialog>
  );
}

interface EditKeyForm extends LimitForm {
  name: string;
}

function EditKeyForm({ projectId, of: key, close }: EditKeyDialogProps & { of: Key }) {
  const updating = useUpdateKey(projectId);
  const { register, handleSubmit, formState } = useForm<EditKeyForm>({ defaultValues: { name: key.name, limits: draftOf(key.limits) } });
  const [bounds, setBounds] = useState(() => boundsDraftOf(key));
  const refusal = refusalOf(updating.error, ['name']);
  const { errors } = formState;
  const submit = handleSubmit(({ name, limits }) =>
    updating.mutate(
      { key, change: { name, limits: limitsOf(limits), ...boundsOf(bounds) } },
      {
        onSuccess: () => {
          toast.success(`${name} was changed`);
          close();
        },
      },
    ),
  );
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
      <Field label="Name" error={errors.name?.message ?? refusal.fields.name}>
        {(control) => <Input {...control} maxLength={64} autoComplete="off" {...register('name', { required: 'Give the key a name.', setValueAs: trimmed })} />}
      </Field>
      <LimitFields register={register} errors={errors} />
      <BoundFields projectId={projectId} draft={bounds} onChange={setBounds} held={key.deployments ?? []} />
      <FormProblem message={refusal.message} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="primary" busy={updating.isPending}>
          Save
        </Button>
      </DialogActions>
    </form>
  );
}
