import { useForm } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';

import { useRefreshMe, useRemove } from './secondFactor';

interface Removal {
  password: string;
  code: string;
}

export function RemoveSecondFactor({ close }: { close: () => void }) {
  const { register, handleSubmit, formState } = useForm<Removal>();
  const remove = useRemove();
  const refresh = useRefreshMe();
  const finish = () => {
    refresh();
    close();
  };
  const { errors } = formState;
  return (
    <Dialog open onOpenChange={close} title="Turn off two-factor authentication" description="From then on your password alone lets you in.">
      <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((values) => remove.mutate(values, { onSuccess: finish }))(event)}>
        <Field label="Password" error={errors.password?.message}>
          {(control) => <PasswordInput {...control} autoComplete="current-password" {...register('password', { required: 'Enter your password.' })} />}
        </Field>
        <Field label="Code" hint="Of your authenticator app, or a recovery code." error={errors.code?.message}>
          {(control) => <Input {...control} autoComplete="one-time-code" {...register('code', { required: 'Enter a code.' })} />}
        </Field>
        <FormProblem message={refusalOf(remove.error, []).message} />
        <DialogActions>
          <Button onClick={close}>Cancel</Button>
          <Button type="submit" variant="danger" busy={remove.isPending}>
            Turn off
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
