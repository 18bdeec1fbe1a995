import { useForm } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import type { Key } from '@/api/types';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input } from '@/ui/Field';
import { toast } from '@/ui/toast';

import { LimitFields, type LimitForm } from './LimitFields';
import { draftOf, limitsOf } from './limits';
import { useUpdateKey } from './queries';

interface EditKeyDialogProps {
  projectId: string;
  of: Key | null;
  close: () => void;
}

/** Changes a key's name and limits; its secret and its scopes are for life. */
export function EditKeyDialog({ projectId, of: key, close }: EditKeyDialogProps) {
  if (!key) return null;
  return (
    <Dialog open onOpenChange={close} title={`Edit ${key.name}`} description="Limits hold within seconds, on all gateways together.">
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
  const refusal = refusalOf(updating.error, ['name']);
  const { errors } = formState;
  const submit = handleSubmit(({ name, limits }) =>
    updating.mutate(
      { key, change: { name, limits: limitsOf(limits) } },
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
