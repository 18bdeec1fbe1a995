import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useForm } from 'react-hook-form';

import { api, call } from '@/api/client';
import { ApiError, refusalOf } from '@/api/problem';
import { useSystem } from '@/api/system';
import { Button } from '@/ui/Button';
import { Field, FormProblem, Input } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';

import { AuthLayout } from './AuthLayout';
import { ProviderButtons } from './ProviderButtons';
import { useEnter } from './useEnter';

interface LoginForm {
  email: string;
  password: string;
  code?: string;
}

const NEEDED = 'Second factor needed';

const logIn = (body: LoginForm) => call(api.POST('/api/v1/auth/login', { body: { ...body, session: 'cookie' } }));

export function LoginPage() {
  const { next } = useSearch({ strict: false });
  return (
    <AuthLayout title="Log in" subtitle={next ? 'Log in to go on where you were.' : 'Welcome back.'} footer={<SignUpInvitation />}>
      <LoginForm />
      <ProviderButtons />
    </AuthLayout>
  );
}

function LoginForm() {
  const { register, handleSubmit, formState } = useForm<LoginForm>();
  const entering = useEnter(logIn);
  const [needsCode, setNeedsCode] = useState(false);
  const asksForCode = entering.error instanceof ApiError && entering.error.title === NEEDED;
  const refusal = refusalOf(asksForCode ? null : entering.error, ['email', 'password', 'code']);
  const enter = (values: LoginForm) =>
    entering.mutate(values, {
      onError: (error) => {
        if (error instanceof ApiError && error.title === NEEDED) setNeedsCode(true);
      },
    });
  const { errors } = formState;
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit(enter)(event)}>
      <Field label="E-mail" error={errors.email?.message ?? refusal.fields.email}>
        {(control) => <Input {...control} type="email" autoComplete="username" autoFocus {...register('email', { required: 'Enter your e-mail address.' })} />}
      </Field>
      <Field label="Password" error={errors.password?.message ?? refusal.fields.password}>
        {(control) => <PasswordInput {...control} autoComplete="current-password" {...register('password', { required: 'Enter your password.' })} />}
      </Field>
      {needsCode && (
        <Field label="Code" hint="Of your authenticator app, or a recovery code." error={errors.code?.message ?? refusal.fields.code}>
          {(control) => <Input {...control} autoComplete="one-time-code" autoFocus {...register('code', { required: 'Enter a code.' })} />}
        </Field>
      )}
      <FormProblem message={refusal.message} />
      <Button type="submit" variant="primary" className="h-9" busy={entering.isPending}>
        Log in
      </Button>
      <Link to="/forgot-password" className="link self-start text-body">
        Forgot your password?
      </Link>
    </form>
  );
}

function SignUpInvitation() {
  const { data: system } = useSystem();
  const { next } = useSearch({ strict: false });
  if (system && !system.signup_open) return 'Accounts on this Headrace are for people who were invited.';
  return (
    <>
      New here?{' '}
      <Link to="/signup" search={next ? { next } : {}} className="link">
        Create an account
      </Link>
    </>
  );
}
