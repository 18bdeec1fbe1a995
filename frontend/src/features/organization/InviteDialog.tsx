import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { useForm } from 'react-hook-form';

import { messageOf } from '@/api/problem';
import type { Invited } from '@/api/types';
import { plural } from '@/lib/format';
import { Button } from '@/ui/Button';
import { CodeBlock } from '@/ui/CodeBlock';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Select, Textarea } from '@/ui/Field';
import { StatusPill, type Tone } from '@/ui/StatusPill';

import { addressesIn, checkAddresses } from './addresses';
import { useOrganizationSettings } from './organizationQueries';
import { type InvitedRole, useInvite } from './queries';

interface InviteForm {
  emails: string;
  /** Empty: as the organization's policies say. */
  role: InvitedRole | '';
}

/** Opens the dialog that invites. */
export function InviteButton({ organizationId }: { organizationId: string }) {
  const [inviting, setInviting] = useState(false);
  return (
    <>
      <Button variant="primary" icon={<UserPlus />} onClick={() => setInviting(true)}>
        Invite people
      </Button>
      {inviting && <InviteDialog organizationId={organizationId} close={() => setInviting(false)} />}
    </>
  );
}

function InviteDialog({ organizationId, close }: { organizationId: string; close: () => void }) {
  const inviting = useInvite(organizationId);
  return (
    <Dialog open onOpenChange={close} title="Invite people" description="Each gets a link that works once within 7 days.">
      {inviting.data ? <Result of={inviting.data} done={close} /> : <InviteForm organizationId={organizationId} inviting={inviting} cancel={close} />}
    </Dialog>
  );
}

interface InviteFormProps {
  organizationId: string;
  inviting: ReturnType<typeof useInvite>;
  cancel: () => void;
}

function InviteForm({ organizationId, inviting, cancel }: InviteFormProps) {
  const { data: policies } = useOrganizationSettings(organizationId);
  const { register, handleSubmit, formState } = useForm<InviteForm>({ defaultValues: { role: '' } });
  const submit = handleSubmit(({ emails, role }) => inviting.mutate({ emails: addressesIn(emails), ...(role && { role }) }));
  const domains = policies?.email_domains.map((it) => `@${it}`).join(', ');
  return (
    <form noValidate className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
      <Field
        label="E-mail addresses"
        hint={`Paste them as they come, up to 100: with commas, line breaks, or as Name <address>.${domains ? ` Only ${domains}.` : ''}`}
        error={formState.errors.emails?.message}
      >
        {(control) => <Textarea {...control} rows={5} autoComplete="off" spellCheck={false} {...register('emails', { validate: checkAddresses })} />}
      </Field>
      <Field label="Role">
        {(control) => (
          <Select {...control} {...register('role')}>
            <option value="">{policies ? `${policies.default_role}, by default` : 'By default'}</option>
            <option>viewer</option>
            <option>developer</option>
            <option>admin</option>
          </Select>
        )}
      </Field>
      <FormProblem message={inviting.error ? messageOf(inviting.error) : undefined} />
      <DialogActions>
        <Button onClick={cancel}>Cancel</Button>
        <Button type="submit" variant="primary" busy={inviting.isPending}>
          Invite
        </Button>
      </DialogActions>
    </form>
  );
}

function Result({ of: { sent, members, waiting }, done }: { of: Invited; done: () => void }) {
  const links = sent.flatMap(({ invitation, link }) => (link ? [`${invitation.email} ${link}`] : []));
  const outcomes: { email: string; tone: Tone; word: string }[] = [
    ...sent.map(({ invitation, link }) => ({ email: invitation.email, tone: 'ok' as const, word: link ? 'Invited' : 'Mail on its way' })),
    ...members.map((email) => ({ email, tone: 'neutral' as const, word: 'Member already' })),
    ...waiting.map((email) => ({ email, tone: 'warn' as const, word: 'Invited a moment ago' })),
  ];
  return (
    <div className="flex flex-col gap-3 text-body">
      <p role="status">{plural(sent.length, 'person was invited', 'people were invited')}.</p>
      {links.length > 0 && (
        <>
          <p>No mail server is set: hand these links on. They are not shown again.</p>
          <CodeBlock code={links.join('\n')} label="Links of the invitations" wrap />
        </>
      )}
      <ul aria-label="Outcome for each address" className="flex max-h-60 flex-col gap-1 overflow-y-auto" tabIndex={0}>
        {outcomes.map(({ email, tone, word }) => (
          <li key={email} className="flex items-center justify-between gap-3">
            <span className="min-w-0 break-all">{email}</span>
            <StatusPill tone={tone}>{word}</StatusPill>
          </li>
        ))}
      </ul>
      <DialogActions>
        <Button variant="primary" onClick={done}>
          Done
        </Button>
      </DialogActions>
    </div>
  );
}
