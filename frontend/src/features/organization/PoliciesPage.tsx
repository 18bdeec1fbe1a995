import type { ReactNode } from 'react';
import { useForm } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import type { OrganizationSettings } from '@/api/types';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Field, FormProblem, Input, Select } from '@/ui/Field';
import { ForAdministrators } from '@/ui/ForAdministrators';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { toast } from '@/ui/toast';

import { useOrganization } from '@/api/organization';
import { useChangeSettings, useOrganizationSettings } from './organizationQueries';

/** What the organization has decided for itself. */
export function PoliciesPage() {
  const organization = useOrganization();
  if (!organization) return null;
  return (
    <>
      <PageHeader title="Policies" context={organization.name}>
        Whom {organization.name} lets in, how long requests are kept, and where alerts go.
      </PageHeader>
      <ForAdministrators of={organization} who="admins and owners see and change its policies">
        <Policies organizationId={organization.id} />
      </ForAdministrators>
    </>
  );
}

function Policies({ organizationId }: { organizationId: string }) {
  const settings = useOrganizationSettings(organizationId);
  return (
    <Loaded query={settings}>
      {(of) => (
        <div className="flex flex-col gap-6">
          <Joining key={`${of.default_role} ${of.email_domains.join()}`} organizationId={organizationId} of={of} />
          <Retention key={of.log_retention_days} organizationId={organizationId} of={of} />
          <Alerts key={`${of.alert_emails.join()} ${of.slack_webhook}`} organizationId={organizationId} of={of} />
        </div>
      )}
    </Loaded>
  );
}

interface PartProps {
  organizationId: string;
  of: OrganizationSettings;
}

const wordsOf = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);

interface JoiningForm {
  default_role: OrganizationSettings['default_role'];
  domains: string;
}

function Joining({ organizationId, of }: PartProps) {
  const { register, handleSubmit, formState } = useForm<JoiningForm>({ defaultValues: { default_role: of.default_role, domains: of.email_domains.join(', ') } });
  const changing = useChangeSettings(organizationId);
  const refusal = refusalOf(changing.error, ['default_role', 'email_domains']);
  const save = ({ default_role: role, domains }: JoiningForm) =>
    changing.mutate({ default_role: role, email_domains: wordsOf(domains.toLowerCase()) }, { onSuccess: () => toast.success('Saved') });
  return (
    <Card title="Joining">
      <form noValidate className="flex max-w-110 flex-col gap-4" onSubmit={(event) => void handleSubmit(save)(event)}>
        <Field label="Role of new members" hint="Unless the invitation says otherwise." error={refusal.fields.default_role}>
          {(control) => (
            <Select {...control} {...register('default_role')}>
              <option>viewer</option>
              <option>developer</option>
              <option>admin</option>
            </Select>
          )}
        </Field>
        <Field label="E-mail domains" hint="Only people with such addresses can be invited and join, like example.com. Empty: anybody. Who is a member stays one." error={formState.errors.domains?.message ?? refusal.fields.email_domains}>
          {(control) => (
            <Input
              {...control}
              autoComplete="off"
              spellCheck={false}
              placeholder="example.com, example.org"
              {...register('domains', { validate: (text) => wordsOf(text).every((it) => /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(it)) || 'Write what stands behind the @, with commas between.' })}
            />
          )}
        </Field>
        <Save changing={changing} message={refusal.message} isDirty={formState.isDirty} />
      </form>
    </Card>
  );
}

const DAYS = [1, 3, 7, 14, 30, 60];

function Retention({ organizationId, of }: PartProps) {
  const { register, handleSubmit, formState } = useForm<{ days: string }>({ defaultValues: { days: String(of.log_retention_days ?? '') } });
  const changing = useChangeSettings(organizationId);
  const refusal = refusalOf(changing.error, []);
  const choices = [...new Set([...DAYS, ...(of.log_retention_days ? [of.log_retention_days] : [])])].toSorted((one, other) => one - other);
  const save = ({ days }: { days: string }) => changing.mutate({ log_retention_days: days ? Number(days) : null }, { onSuccess: () => toast.success('Saved') });
  return (
    <Card title="Logged requests">
      <form noValidate className="flex max-w-110 flex-col gap-4" onSubmit={(event) => void handleSubmit(save)(event)}>
        <Field label="Kept for" hint="Inputs and outputs of older requests are forgotten within an hour or two. Counts and latencies stay.">
          {(control) => (
            <Select {...control} {...register('days')}>
              {choices.map((it) => (
                <option key={it} value={it}>
                  {it === 1 ? '1 day' : `${it} days`}
                </option>
              ))}
              <option value="">90 days</option>
            </Select>
          )}
        </Field>
        <Save changing={changing} message={refusal.message} isDirty={formState.isDirty} />
      </form>
    </Card>
  );
}

interface AlertsForm {
  emails: string;
  webhook: string;
}

function Alerts({ organizationId, of }: PartProps) {
  const { register, handleSubmit, formState } = useForm<AlertsForm>({ defaultValues: { emails: of.alert_emails.join(', '), webhook: '' } });
  const changing = useChangeSettings(organizationId);
  const refusal = refusalOf(changing.error, ['alert_emails', 'slack_webhook']);
  const saved = { onSuccess: () => toast.success('Saved') };
  const save = ({ emails, webhook }: AlertsForm) => changing.mutate({ alert_emails: wordsOf(emails), ...(webhook ? { slack_webhook: webhook } : {}) }, saved);
  return (
    <Card title="Alerts">
      <form noValidate className="flex max-w-110 flex-col gap-4" onSubmit={(event) => void handleSubmit(save)(event)}>
        <Field label="E-mail addresses" hint="Where alerts go unless they say otherwise." error={formState.errors.emails?.message ?? refusal.fields.alert_emails}>
          {(control) => (
            <Input
              {...control}
              autoComplete="off"
              placeholder="ops@example.com"
              {...register('emails', { validate: (text) => wordsOf(text).every((it) => /^[^@\s]+@[^@\s]+$/.test(it)) || 'Write addresses with commas between.' })}
            />
          )}
        </Field>
        <Field
          label="Slack webhook"
          hint={of.slack_webhook ? `Now ${of.slack_webhook}. A new one takes its place; it is never shown whole again.` : 'An incoming webhook of Slack, or of what speaks like it. It is never shown whole again.'}
          error={refusal.fields.slack_webhook}
        >
          {(control) => <Input {...control} type="url" autoComplete="off" spellCheck={false} maxLength={500} placeholder="https://hooks.slack.com/services/…" {...register('webhook', { setValueAs: trimmed })} />}
        </Field>
        <Save changing={changing} message={refusal.message} isDirty={formState.isDirty}>
          {of.slack_webhook && (
            <Button busy={changing.isPending} onClick={() => changing.mutate({ slack_webhook: null }, saved)}>
              Forget the webhook
            </Button>
          )}
        </Save>
      </form>
    </Card>
  );
}

interface SaveProps {
  changing: { isPending: boolean };
  message: string | undefined;
  isDirty: boolean;
  children?: ReactNode;
}

const Save = ({ changing, message, isDirty, children }: SaveProps) => (
  <>
    <FormProblem message={message} />
    <div className="flex flex-wrap gap-2">
      <Button type="submit" variant="primary" busy={changing.isPending} disabled={!isDirty}>
        Save
      </Button>
      {children}
    </div>
  </>
);
