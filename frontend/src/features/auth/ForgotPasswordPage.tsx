import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';

import { api, call } from '@/api/client';
import { refusalOf } from '@/api/problem';
import { Button } from '@/ui/Button';
import { Field, FormProblem, Input } from '@/ui/Field';

import { AuthLayout } from './AuthLayout';

interface Forgotten {
  email: string;
}

export const ForgotPasswordPage = () => (
  <AuthLayout
    title="Forgot your password?"
    subtitle="We send a link to your address, with which you set a new one."
    footer={
      <Link to="/login" className="link">
        Back to log in
      </Link>
    }
  >
    <AskForm />
  </AuthLayout>
);

function AskForm() {
  const { register, handleSubmit, formState } = useForm<Forgotten>();
  const asking = useMutation({ mutationFn: (body: Forgotten) => call(api.POST('/api/v1/auth/password-reset', { body })) });
  const refusal = refusalOf(asking.error, ['email']);
  if (asking.isSuccess)
    return (
      <p role="status" className="text-body">
        If there is an account for <strong className="font-semibold break-all">{asking.variables.email}</strong>, a link is on its way to it. It works for an hour.
      </p>
    );
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((values) => asking.mutate(values))(event)}>
      <Field label="E-mail" error={formState.errors.email?.message ?? refusal.fields.email}>
        {(control) => <Input {...control} type="email" autoComplete="username" autoFocus {...register('email', { required: 'Enter your e-mail address.' })} />}
      </Field>
      <FormProblem message={refusal.message} />
      <Button type="submit" variant="primary" className="h-9" busy={asking.isPending}>
        Send the link
      </Button>
    </form>
  );
}
