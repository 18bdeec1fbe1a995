import { useForm } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import { checkPassword } from '@/lib/passwords';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Field, FormProblem } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';
import { toast } from '@/ui/toast';

import { type PasswordChange, useChangePassword } from './queries';

/** Changes the reader's password. */
export function PasswordForm() {
  const { register, handleSubmit, formState, reset } = useForm<PasswordChange>();
  const changing = useChangePassword();
  const refusal = refusalOf(changing.error, ['current_password', 'new_password']);
  const { errors } = formState;
  const change = (values: PasswordChange) =>
    changing.mutate(values, {
      onSuccess: () => {
        reset();
        toast.success('Your password was changed, and your other sessions have ended');
      },
    });
  return (
    <Card title="Password">
      <form noValidate className="flex max-w-90 flex-col gap-4" onSubmit={(event) => void handleSubmit(change)(event)}>
        <Field label="Current password" error={errors.current_password?.message ?? refusal.fields.current_password}>
          {(control) => <PasswordInput {...control} autoComplete="current-password" {...register('current_password', { required: 'Enter your current password.' })} />}
        </Field>
        <Field label="New password" hint="At least 10 characters. Your other sessions will end." error={errors.new_password?.message ?? refusal.fields.new_password}>
          {(control) => <PasswordInput {...control} autoComplete="new-password" {...register('new_password', { validate: checkPassword })} />}
        </Field>
        <FormProblem message={refusal.message} />
        <div>
          <Button type="submit" busy={changing.isPending}>
            Change password
          </Button>
        </div>
      </form>
    </Card>
  );
}
