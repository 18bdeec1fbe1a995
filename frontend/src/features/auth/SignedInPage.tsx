import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useForm } from 'react-hook-form';

import { api, call } from '@/api/client';
import { rememberCsrfToken } from '@/api/csrf';
import { messageOf, refusalOf } from '@/api/problem';
import type { SignedIn } from '@/api/types';
import { Button } from '@/ui/Button';
import { Field, FormProblem, Input } from '@/ui/Field';

import { AuthLayout } from './AuthLayout';
import { takeNext } from './next';

/** Where providers lead back to: hands their answer on, then asks for the second factor of an account that has one. */
export function SignedInPage() {
  const { code, state } = useSearch({ strict: false });
  const go = useGo();
  const finishing = useMutation({
    mutationFn: () => call(api.POST('/api/v1/auth/oidc/finish', { body: { state: state ?? 'none', ...(code ? { code } : {}) } })),
    onSuccess: go,
  });
  const once = useRef(false);
  useEffect(() => {
    if (once.current) return;
    once.current = true;
    finishing.mutate();
  }, [finishing]);
  const asksForCode = finishing.data?.outcome === 'second_factor';
  const footer = (
    <Link to="/login" className="link">
      Back to log in
    </Link>
  );
  return (
    <AuthLayout title="Log in" subtitle={asksForCode ? 'Your account asks for a second factor, too.' : 'Finishing what you began elsewhere.'} footer={footer}>
      {asksForCode ? <CodeForm go={go} /> : <Finishing of={finishing} />}
    </AuthLayout>
  );
}

function Finishing({ of: { error } }: { of: Pick<UseMutationResult<SignedIn>, 'error'> }) {
  if (error) return <FormProblem message={messageOf(error)} />;
  return (
    <p role="status" className="text-body text-muted">
      One moment…
    </p>
  );
}

function CodeForm({ go }: { go: (answer: SignedIn) => void }) {
  const { register, handleSubmit, formState } = useForm<{ code: string }>();
  const entering = useMutation({ mutationFn: (body: { code: string }) => call(api.POST('/api/v1/auth/oidc/second-factor', { body })), onSuccess: go });
  const refusal = refusalOf(entering.error, ['code']);
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((values) => entering.mutate(values))(event)}>
      <Field label="Code" hint="Of your authenticator app, or a recovery code." error={formState.errors.code?.message ?? refusal.fields.code}>
        {(control) => <Input {...control} autoComplete="one-time-code" autoFocus {...register('code', { required: 'Enter a code.' })} />}
      </Field>
      <FormProblem message={refusal.message} />
      <Button type="submit" variant="primary" className="h-9" busy={entering.isPending}>
        Log in
      </Button>
    </form>
  );
}

/** Leaves for where the reader wanted to be, once they are in. */
function useGo(): (answer: SignedIn) => void {
  const queryClient = useQueryClient();
  const router = useRouter();
  return ({ outcome, session }) => {
    if (outcome === 'second_factor') return;
    if (session) {
      rememberCsrfToken(session.csrf_token);
      // Whatever an earlier person saw in this tab is not for this one.
      queryClient.clear();
    }
    router.history.replace(outcome === 'linked' ? '/account' : (takeNext() ?? '/'));
  };
}
