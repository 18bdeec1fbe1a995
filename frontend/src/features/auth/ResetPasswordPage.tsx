import { useMutation } from '@tanstack/react-query';
import { Link, useLocation, useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';

import { api, call } from '@/api/client';
import { refusalOf } from '@/api/problem';
import { checkPassword } from '@/lib/passwords';
import { Button } from '@/ui/Button';
import { Field, FormProblem } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';
import { toast } from '@/ui/toast';

import { AuthLayout } from './AuthLayout';

interface NewPassword {
  new_password: string;
}

/** Where the link of the mail leads; its token stands behind the `#`. */
export const ResetPasswordPage = () => (
  <AuthLayout
    title="Set a new password"
    subtitle="You are signed out everywhere and log in with the new one."
    footer={
      <Link to="/forgot-password" className="link">
        Send me another link
      </Link>
    }
  >
    <ResetForm />
  </AuthLayout>
);

function ResetForm() {
  const token = useLocation({ select: (location) => location.hash });
  const navigate = useNavigate();
  const { register, handleSubmit, formState } = useForm<NewPassword>();
  const setting = useMutation({
    mutationFn: (body: NewPassword) => call(api.POST('/api/v1/auth/password-reset/complete', { body: { ...body, token } })),
    onSuccess: async () => {
      toast.success('Your password was changed');
      await navigate({ to: '/login' });
    },
  });
  const refusal = refusalOf(setting.error, ['new_password']);
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((values) => setting.mutate(values))(event)}>
      <Field label="New password" hint="At least 10 characters. A few unrelated words make a good one." error={formState.errors.new_password?.message ?? refusal.fields.new_password}>
        {(control) => <PasswordInput {...control} autoComplete="new-password" autoFocus {...register('new_password', { validate: checkPassword })} />}
      </Field>
      <FormProblem message={refusal.message} />
      <Button type="submit" variant="primary" className="h-9" busy={setting.isPending}>
        Set password
      </Button>
    </form>
  );
}
