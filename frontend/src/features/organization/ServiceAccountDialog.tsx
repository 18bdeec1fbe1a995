import { useForm } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import type { ServiceAccount } from '@/api/types';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input, Select } from '@/ui/Field';

import { SERVICE_ROLES, useChangeServiceAccount, useCreateServiceAccount } from './serviceAccounts';

interface ServiceAccountDialogProps {
  organizationId: string;
  /** The one to rename; null makes a new one. */
  of: ServiceAccount | null;
  close: () => void;
}

export const ServiceAccountDialog = ({ organizationId, of, close }: ServiceAccountDialogProps) => (
  <Dialog open onOpenChange={close} title={of ? `Rename ${of.name}` : 'New service account'} description={of ? 'Its keys and its role stay.' : 'It gets no password: create keys in projects that act for it.'}>
    {of ? <Rename organizationId={organizationId} of={of} close={close} /> : <Create organizationId={organizationId} close={close} />}
  </Dialog>
);

interface AccountForm {
  name: string;
  role: ServiceAccount['role'];
}

function Create({ organizationId, close }: { organizationId: string; close: () => void }) {
  const { register, handleSubmit, formState } = useForm<AccountForm>({ defaultValues: { role: 'developer' } });
  const creating = useCreateServiceAccount(organizationId);
  const refusal = refusalOf(creating.error, ['name', 'role']);
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((values) => creating.mutate(values, { onSuccess: close }))(event)}>
      <Field label="Name" hint="What the machine is, such as “nightly pipeline”." error={formState.errors.name?.message ?? refusal.fields.name}>
        {(control) => <Input {...control} maxLength={64} autoComplete="off" {...register('name', { required: 'Give it a name.', setValueAs: trimmed })} />}
      </Field>
      <Field label="Role" error={refusal.fields.role}>
        {(control) => (
          <Select {...control} {...register('role')}>
            {SERVICE_ROLES.map((role) => (
              <option key={role}>{role}</option>
            ))}
          </Select>
        )}
      </Field>
      <FormProblem message={refusal.message} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="primary" busy={creating.isPending}>
          Create service account
        </Button>
      </DialogActions>
    </form>
  );
}

function Rename({ organizationId, of: account, close }: { organizationId: string; of: ServiceAccount; close: () => void }) {
  const { register, handleSubmit, formState } = useForm<{ name: string }>({ defaultValues: { name: account.name } });
  const changing = useChangeServiceAccount(organizationId);
  const refusal = refusalOf(changing.error, ['name']);
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((change) => changing.mutate({ account, change }, { onSuccess: close }))(event)}>
      <Field label="Name" error={formState.errors.name?.message ?? refusal.fields.name}>
        {(control) => <Input {...control} maxLength={64} autoComplete="off" {...register('name', { required: 'Give it a name.', setValueAs: trimmed })} />}
      </Field>
      <FormProblem message={refusal.message} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="primary" busy={changing.isPending}>
          Rename
        </Button>
      </DialogActions>
    </form>
  );
}
