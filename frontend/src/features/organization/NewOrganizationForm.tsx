import { useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input } from '@/ui/Field';

import { useFound } from './organizationQueries';

export default function NewOrganizationForm({ close }: { close: () => void }) {
  const { register, handleSubmit, formState } = useForm<{ name: string }>();
  const founding = useFound();
  const navigate = useNavigate();
  const refusal = refusalOf(founding.error, ['name']);
  const found = (values: { name: string }) =>
    founding.mutate(values, {
      onSuccess: ({ slug }) => {
        close();
        void navigate({ to: '/o/$org', params: { org: slug } });
      },
    });
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit(found)(event)}>
      <Field label="Name" error={formState.errors.name?.message ?? refusal.fields.name}>
        {(control) => <Input {...control} maxLength={64} autoComplete="organization" autoFocus {...register('name', { required: 'Give the organization a name.', setValueAs: trimmed })} />}
      </Field>
      <FormProblem message={refusal.message} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="primary" busy={founding.isPending}>
          Create organization
        </Button>
      </DialogActions>
    </form>
  );
}
