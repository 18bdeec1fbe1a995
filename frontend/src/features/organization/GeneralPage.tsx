import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useForm, useWatch } from 'react-hook-form';

import { refusalOf } from '@/api/problem';
import { useMe } from '@/api/session';
import { trimmed } from '@/lib/trimmed';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { Field, FormProblem, Input } from '@/ui/Field';
import { PageHeader } from '@/ui/PageHeader';
import { toast } from '@/ui/toast';

import { HandOverDialog } from './HandOverDialog';
import { administers, type Organization, useOrganization } from '@/api/organization';
import { useDeleteOrganization, useUpdateOrganization } from './organizationQueries';
import { useLeave } from './queries';

/** What the organization is called, and how to part with it. */
export function GeneralPage() {
  const organization = useOrganization();
  if (!organization) return null;
  return (
    <>
      <PageHeader title="General" context={organization.name}>
        What {organization.name} is called, and the ways out of it.
      </PageHeader>
      <NameForm key={`${organization.name} ${organization.slug}`} organization={organization} />
      <DangerZone organization={organization} />
    </>
  );
}

interface NameValues {
  name: string;
  slug: string;
}

function NameForm({ organization }: { organization: Organization }) {
  const { name, slug } = organization;
  const { register, handleSubmit, formState, control: form } = useForm<NameValues>({ defaultValues: { name, slug } });
  const updating = useUpdateOrganization(organization.id);
  const navigate = useNavigate();
  const { errors, isDirty } = formState;
  const refusal = refusalOf(updating.error, ['name', 'slug']);
  const save = (values: NameValues) =>
    updating.mutate(values, {
      onSuccess: (saved) => {
        toast.success('Saved');
        if (saved.slug !== slug) void navigate({ to: '/o/$org/settings/general', params: { org: saved.slug }, replace: true });
      },
    });
  const mayChange = administers(organization);
  const moves = useWatch({ control: form, name: 'slug' }) !== slug;
  return (
    <Card title="Name and address">
      <form noValidate className="flex max-w-110 flex-col gap-4" onSubmit={(event) => void handleSubmit(save)(event)}>
        <Field label="Name" error={errors.name?.message ?? refusal.fields.name}>
          {(control) => <Input {...control} readOnly={!mayChange} maxLength={64} autoComplete="off" {...register('name', { required: 'Give the organization a name.', setValueAs: trimmed })} />}
        </Field>
        <Field
          label="Address"
          hint={moves ? 'Links and programs that use the old address will not find the organization any more.' : 'Stands in links and in the addresses of deployments: small letters, digits, hyphens.'}
          error={errors.slug?.message ?? refusal.fields.slug}
        >
          {(control) => (
            <Input
              {...control}
              readOnly={!mayChange}
              maxLength={48}
              autoComplete="off"
              spellCheck={false}
              className="font-mono"
              {...register('slug', { setValueAs: trimmed, pattern: { value: /^[a-z0-9]+(-[a-z0-9]+)*$/, message: 'Use small letters, digits and single hyphens.' } })}
            />
          )}
        </Field>
        <FormProblem message={refusal.message} />
        {mayChange ? (
          <div>
            <Button type="submit" variant="primary" busy={updating.isPending} disabled={!isDirty}>
              Save
            </Button>
          </div>
        ) : (
          <p className="text-caption text-subtle">Administrators change this; your role is {organization.role}.</p>
        )}
      </form>
    </Card>
  );
}

type Way = 'leave' | 'hand over' | 'delete';

/** Leaving, handing over and deleting, for those who may. */
function DangerZone({ organization }: { organization: Organization }) {
  const [way, setWay] = useState<Way | null>(null);
  const isOwner = organization.role === 'owner';
  const close = () => setWay(null);
  return (
    <Card title="Danger zone" padded={false}>
      <ul className="divide-y divide-border">
        <Step title="Leave" text="You are out of all of its projects at once. The last owner cannot leave." action="Leave" onClick={() => setWay('leave')} />
        {isOwner && <Step title="Hand over" text="Another member becomes its owner, and you an admin." action="Hand over…" onClick={() => setWay('hand over')} />}
        {isOwner && <Step title="Delete" text="Nobody finds it any more and its keys stop working, at once. Owners can restore it for 7 days." action="Delete…" onClick={() => setWay('delete')} />}
      </ul>
      <Leave organization={organization} open={way === 'leave'} close={close} />
      <Delete organization={organization} open={way === 'delete'} close={close} />
      {way === 'hand over' && <HandOverDialog organization={organization} close={close} />}
    </Card>
  );
}

const Step = ({ title, text, action, onClick }: { title: string; text: string; action: string; onClick: () => void }) => (
  <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 px-4 py-3">
    <div className="min-w-0 flex-1 basis-60">
      <h3 className="text-label">{title}</h3>
      <p className="text-body text-muted">{text}</p>
    </div>
    <Button onClick={onClick}>{action}</Button>
  </li>
);

interface PartProps {
  organization: Organization;
  open: boolean;
  close: () => void;
}

function Leave({ organization, open, close }: PartProps) {
  const leave = useLeave(organization.id);
  const navigate = useNavigate();
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={close}
      title={`Leave ${organization.name}?`}
      effect="You are out of all of its projects at once, and only an admin can invite you back. Keys you made go on working at gateways."
      action="Leave organization"
      onConfirm={() => leave().then(() => navigate({ to: '/' }))}
    />
  );
}

function Delete({ organization, open, close }: PartProps) {
  const remove = useDeleteOrganization(organization.id);
  const navigate = useNavigate();
  const { organizations } = useMe();
  const others = organizations.length - 1;
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={close}
      title={`Delete ${organization.name}?`}
      effect={`All of its projects go with it: deployments stop being served, keys stop working and batch jobs stop, at once and for everybody. For 7 days its owners can restore it from their list of organizations${others ? '' : '; until then you belong to no organization'}.`}
      action="Delete organization"
      nameToType={organization.name}
      onConfirm={() =>
        remove().then(() => {
          toast.success(`${organization.name} was deleted; you can restore it here for 7 days`);
          return navigate({ to: '/organizations' });
        })
      }
    />
  );
}
