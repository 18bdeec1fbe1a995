import { Link, useSearch } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';

import { api, call } from '@/api/client';
import { ApiError, refusalOf } from '@/api/problem';
import { useSystem } from '@/api/system';
import { checkPassword } from '@/lib/passwords';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Field, FormProblem, Input } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';

import { AuthLayout } from './AuthLayout';
import { ProviderButtons } from './ProviderButtons';
import { useEnter } from './useEnter';

interface SignUpForm {
  name: string;
  email: string;
  password: string;
}

const signUp = (body: SignUpForm) => call(api.POST('/api/v1/auth/register', { body: { ...body, session: 'cookie' } }));

export function SignUpPage() {
  const { next } = useSearch({ strict: false });
  const { data: system } = useSystem();
  const footer = (
    <>
      Already have an account?{' '}
      <Link to="/login" search={next ? { next } : {}} className="link">
        Log in
      </Link>
    </>
  );
  return (
    <AuthLayout title="Create your account" subtitle="With an organization and a first project, ready for a model." footer={footer}>
      {system?.signup_open === false ? <p className="text-body">Accounts on this Headrace are for people who were invited: open the link in the invitation.</p> : <SignUpForm domains={system?.signup_domains ?? []} />}
      <ProviderButtons />
    </AuthLayout>
  );
}

const TO_CONFIRM = 'E-mail address to confirm';

function SignUpForm({ domains }: { domains: readonly string[] }) {
  const { register, handleSubmit, formState } = useForm<SignUpForm>();
  const entering = useEnter(signUp);
  const { error } = entering;
  const refusal = refusalOf(entering.error, ['name', 'email', 'password']);
  const { errors } = formState;
  if (error instanceof ApiError && error.title === TO_CONFIRM)
    return (
      <p role="status" className="text-body">
        Your account is made. To confirm that <strong className="font-semibold break-all">{entering.variables?.email}</strong> is yours, open the link we sent to it, then log in.
      </p>
    );
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((values) => entering.mutate(values))(event)}>
      <Field label="Name" error={errors.name?.message ?? refusal.fields.name}>
        {(control) => <Input {...control} autoComplete="name" autoFocus maxLength={64} {...register('name', { required: 'Enter your name.', setValueAs: trimmed })} />}
      </Field>
      <Field label="E-mail" hint={domains.length > 0 ? `An address at ${domains.join(' or ')}.` : undefined} error={errors.email?.message ?? refusal.fields.email}>
        {(control) => (
          <Input {...control} type="email" autoComplete="username" {...register('email', { required: 'Enter your e-mail address.', pattern: { value: /^\s*[^@\s]+@[^@\s]+\s*$/, message: 'This does not look like an e-mail address.' } })} />
        )}
      </Field>
      <Field label="Password" hint="At least 10 characters. A few unrelated words make a good one." error={errors.password?.message ?? refusal.fields.password}>
        {(control) => <PasswordInput {...control} autoComplete="new-password" {...register('password', { validate: checkPassword })} />}
      </Field>
      <FormProblem message={refusal.message} />
      <Button type="submit" variant="primary" className="h-9" busy={entering.isPending}>
        Create account
      </Button>
    </form>
  );
}
