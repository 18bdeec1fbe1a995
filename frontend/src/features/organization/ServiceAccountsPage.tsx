import { Bot, Plus } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import type { ServiceAccount } from '@/api/types';
import { plural } from '@/lib/format';
import { Button } from '@/ui/Button';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { Empty } from '@/ui/Empty';
import { Select } from '@/ui/Field';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';
import { toast } from '@/ui/toast';

import { administers, type Organization, useOrganization } from '@/api/organization';
import { ServiceAccountDialog } from './ServiceAccountDialog';
import { SERVICE_ROLES, useChangeServiceAccount, useDeleteServiceAccount, useServiceAccounts } from './serviceAccounts';

/** The machines of an organization, which act through API keys of their own. */
export function ServiceAccountsPage() {
  const organization = useOrganization();
  const [edited, setEdited] = useState<ServiceAccount | 'new' | null>(null);
  if (!organization) return null;
  const create = administers(organization) ? (
    <Button variant="primary" icon={<Plus aria-hidden />} onClick={() => setEdited('new')}>
      New service account
    </Button>
  ) : undefined;
  return (
    <>
      <PageHeader title="Service accounts" context={organization.name} actions={create}>
        Machines of {organization.name}. They act through API keys, stay when people leave, and never log in.
      </PageHeader>
      <Accounts organization={organization} create={create} onRename={setEdited} />
      {edited && <ServiceAccountDialog organizationId={organization.id} of={edited === 'new' ? null : edited} close={() => setEdited(null)} />}
    </>
  );
}

interface AccountsProps {
  organization: Organization;
  create: ReactNode;
  onRename: (account: ServiceAccount) => void;
}

function Accounts({ organization, create, onRename }: AccountsProps) {
  const accounts = useServiceAccounts(organization.id);
  const [deleting, setDeleting] = useState<ServiceAccount | null>(null);
  const remove = useDeleteServiceAccount(organization.id);
  return (
    <Loaded query={accounts}>
      {(items) =>
        items.length === 0 ? (
          <Empty icon={<Bot aria-hidden />} title="No service accounts yet" action={create}>
            Make one for each machine, such as a pipeline, give it a role, and then create keys in projects that act for it.
          </Empty>
        ) : (
          <>
            <Table label="Service accounts" head={HEAD}>
              {items.map((account) => (
                <AccountRow key={account.id} organization={organization} of={account} onRename={() => onRename(account)} onDelete={() => setDeleting(account)} />
              ))}
            </Table>
            {deleting && (
              <ConfirmDialog
                open
                onOpenChange={() => setDeleting(null)}
                title={`Delete ${deleting.name}?`}
                effect={`${deleting.keys > 0 ? `Its ${plural(deleting.keys, 'key')} ${deleting.keys === 1 ? 'is' : 'are'} revoked: programs that use ${deleting.keys === 1 ? 'it' : 'them'} are refused within moments.` : 'It has no keys that work.'} This cannot be undone.`}
                action="Delete service account"
                nameToType={deleting.name}
                onConfirm={() => remove(deleting)}
              />
            )}
          </>
        )
      }
    </Loaded>
  );
}

const HEAD = (
  <>
    <Th>Name</Th>
    <Th>Role</Th>
    <Th className="hidden sm:table-cell" numeric>
      Keys
    </Th>
    <Th className="hidden md:table-cell">Made</Th>
    <Th>
      <span className="sr-only">Actions</span>
    </Th>
  </>
);

interface AccountRowProps {
  organization: Organization;
  of: ServiceAccount;
  onRename: () => void;
  onDelete: () => void;
}

function AccountRow({ organization, of: account, onRename, onDelete }: AccountRowProps) {
  const changing = useChangeServiceAccount(organization.id);
  const mayChange = administers(organization);
  const change = (what: Parameters<typeof changing.mutate>[0]['change'], done: string) => changing.mutate({ account, change: what }, { onSuccess: () => toast.success(done), onError: toast.problem });
  const isDisabled = account.disabled_at !== null;
  return (
    <Tr>
      <Td className="max-w-72">
        <span className="font-medium break-words">{account.name}</span> {isDisabled && <StatusPill tone="warn">Disabled</StatusPill>}
        {account.project_roles > 0 && <p className="text-caption text-subtle">{plural(account.project_roles, 'role')} in projects</p>}
      </Td>
      <Td>
        {mayChange ? (
          <Select
            aria-label={`Role of ${account.name}`}
            className="w-32!"
            value={account.role}
            disabled={changing.isPending}
            onChange={({ target }) => {
              const role = SERVICE_ROLES.find((it) => it === target.value);
              if (role) change({ role }, `${account.name} is now ${role}`);
            }}
          >
            {SERVICE_ROLES.map((role) => (
              <option key={role}>{role}</option>
            ))}
          </Select>
        ) : (
          account.role
        )}
      </Td>
      <Td className="hidden sm:table-cell" numeric>
        {account.keys}
      </Td>
      <Td className="hidden text-muted md:table-cell">
        <RelativeTime time={account.created_at} />
      </Td>
      <Td className="text-right">
        {mayChange && (
          <div className="flex flex-col items-end gap-1 sm:flex-row sm:justify-end">
            <Button size="small" variant="ghost" aria-label={`Rename ${account.name}`} onClick={onRename}>
              Rename
            </Button>
            <Button
              size="small"
              variant="ghost"
              aria-label={`${isDisabled ? 'Enable' : 'Disable'} ${account.name}`}
              busy={changing.isPending}
              onClick={() => change({ is_disabled: !isDisabled }, isDisabled ? `${account.name} works again` : `${account.name} is disabled: its keys are refused`)}
            >
              {isDisabled ? 'Enable' : 'Disable'}
            </Button>
            <Button size="small" variant="ghost" aria-label={`Delete ${account.name}`} onClick={onDelete}>
              Delete
            </Button>
          </div>
        )}
      </Td>
    </Tr>
  );
}
