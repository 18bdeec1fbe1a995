import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useLocation, useNavigate } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useForm } from 'react-hook-form';

import { api, call } from '@/api/client';
import { messageOf, refusalOf } from '@/api/problem';
import { meQuery } from '@/api/session';
import type { OpenInvitation } from '@/api/types';
import { checkPassword } from '@/lib/passwords';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Field, FormProblem, Input } from '@/ui/Field';
import { Loaded } from '@/ui/Loaded';
import { PasswordInput } from '@/ui/PasswordInput';

import { AuthLayout } from './AuthLayout';
import { useEnter } from './useEnter';

const KEPT = 'invitation';

/** The token behind the `#`, which no server sees; kept in this tab and out of the address for the way over the login page. */
function useInvitationToken(): string {
  const given = useLocation({ select: (location) => location.hash });
  const navigate = useNavigate();
  useEffect(() => {
    if (!given) return;
    sessionStorage.setItem(KEPT, given);
    void navigate({ to: '/invite', replace: true });
  }, [given, navigate]);
  return given || (sessionStorage.getItem(KEPT) ?? '');
}

const invitationQuery = (token: string) =>
  queryOptions({
    queryKey: ['invitation', token],
    queryFn: ({ signal }) => call(api.POST('/api/v1/invitations/open', { body: { token }, signal })),
    retry: false,
  });

/** Where the link of an invitation leads: into the organization, with the account the address has or a new one. */
export function InvitePage() {
  const token = useInvitationToken();
  const invitation = useQuery(invitationQuery(token));
  const subtitle = invitation.data ? subtitleOf(invitation.data) : 'You were invited to an organization.';
  return (
    <AuthLayout title="Join on Headrace" subtitle={subtitle} footer={null}>
      <Loaded query={invitation}>{(data) => (data.has_account ? <Accept token={token} of={data} /> : <NewAccount token={token} of={data} />)}</Loaded>
    </AuthLayout>
  );
}

const subtitleOf = ({ invited_by: inviter, organization, role }: OpenInvitation): string => `${inviter ?? 'Somebody'} invites you to ${organization}, as ${role}.`;

function Accept({ token, of: { email, organization } }: { token: string; of: OpenInvitation }) {
  const me = useQuery({ ...meQuery, retry: false });
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const accepting = useMutation({
    mutationFn: () => call(api.POST('/api/v1/invitations/accept', { body: { token } })),
    onSuccess: async ({ slug }) => {
      sessionStorage.removeItem(KEPT);
      await queryClient.invalidateQueries({ queryKey: meQuery.queryKey });
      await navigate({ to: '/o/$org', params: { org: slug } });
    },
  });
  if (me.isPending) return null;
  if (me.data?.user.email === email) {
    return (
      <div className="flex flex-col gap-4">
        <FormProblem message={accepting.error ? messageOf(accepting.error) : undefined} />
        <Button variant="primary" className="h-9" busy={accepting.isPending} onClick={() => accepting.mutate()}>
          Join {organization}
        </Button>
      </div>
    );
  }
  return (
    <p className="text-body">
      The invitation is for {email}. {me.data && `You are signed in as ${me.data.user.email}. `}
      <Link to="/login" search={{ next: '/invite' }} className="link">
        Log in as {email}
      </Link>{' '}
      to accept it.
    </p>
  );
}

interface AccountForm {
  name: string;
  password: string;
}

function NewAccount({ token, of: { email, organization } }: { token: string; of: OpenInvitation }) {
  const { register, handleSubmit, formState } = useForm<AccountForm>();
  const entering = useEnter(async (values: AccountForm) => {
    await call(api.POST('/api/v1/invitations/sign-up', { body: { token, ...values } }));
    sessionStorage.removeItem(KEPT);
    return call(api.POST('/api/v1/auth/login', { body: { email, password: values.password, session: 'cookie' } }));
  });
  const refusal = refusalOf(entering.error, ['name', 'password']);
  const { errors } = formState;
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void handleSubmit((values) => entering.mutate(values))(event)}>
      <Field label="E-mail">{(control) => <Input {...control} type="email" autoComplete="username" readOnly value={email} />}</Field>
      <Field label="Name" error={errors.name?.message ?? refusal.fields.name}>
        {(control) => <Input {...control} autoComplete="name" maxLength={64} {...register('name', { required: 'Enter your name.', setValueAs: trimmed })} />}
      </Field>
      <Field label="Password" hint="At least 10 characters. A few unrelated words make a good one." error={errors.password?.message ?? refusal.fields.password}>
        {(control) => <PasswordInput {...control} autoComplete="new-password" {...register('password', { validate: checkPassword })} />}
      </Field>
      <FormProblem message={refusal.message} />
      <Button type="submit" variant="primary" className="h-9" busy={entering.isPending}>
        Join {organization}
      </Button>
    </form>
  );
}
