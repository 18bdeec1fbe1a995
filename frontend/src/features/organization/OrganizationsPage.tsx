import { Link } from '@tanstack/react-router';
import { Building2, Plus } from 'lucide-react';
import { useState } from 'react';

import { messageOf } from '@/api/problem';
import { useMe } from '@/api/session';
import type { DeletedOrganization } from '@/api/types';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Empty } from '@/ui/Empty';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { toast } from '@/ui/toast';

import { NewOrganizationDialog } from './NewOrganizationDialog';
import { useDeletedOrganizations, useRestoreOrganization } from './organizationQueries';

/** Where the person belongs, with those they may bring back. */
export function OrganizationsPage() {
  const { organizations } = useMe();
  return (
    <>
      <PageHeader title="Organizations" actions={organizations.length > 0 ? <NewOrganizationButton /> : undefined}>
        Where you belong, and in which role.
      </PageHeader>
      {organizations.length === 0 ? (
        <NoOrganization />
      ) : (
        <Card title="Yours" padded={false}>
          <ul className="divide-y divide-border">
            {organizations.map(({ id, slug, name, role }) => (
              <li key={id} className="flex items-center justify-between gap-3 px-4 py-3">
                <Link to="/o/$org" params={{ org: slug }} className="link min-w-0 break-words">
                  {name}
                </Link>
                <span className="text-caption text-subtle">{role}</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      <DeletedOrganizations />
    </>
  );
}

const NoOrganization = () => (
  <Empty icon={<Building2 aria-hidden />} title="You belong to no organization" action={<NewOrganizationButton />}>
    Ask an administrator of yours for an invitation, or found one of your own.
  </Empty>
);

function NewOrganizationButton() {
  const [founding, setFounding] = useState(false);
  return (
    <>
      <Button icon={<Plus aria-hidden />} onClick={() => setFounding(true)}>
        New organization
      </Button>
      <NewOrganizationDialog open={founding} onOpenChange={setFounding} />
    </>
  );
}

/** Nothing where there are none, as for nearly everybody. */
function DeletedOrganizations() {
  const deleted = useDeletedOrganizations();
  if (deleted.isPending || deleted.data?.length === 0) return null;
  return (
    <Card title="Deleted" padded={!deleted.data}>
      <Loaded query={deleted}>
        {(items) => (
          <ul aria-label="Deleted organizations" className="divide-y divide-border">
            {items.map((it) => (
              <DeletedRow key={it.id} of={it} />
            ))}
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function DeletedRow({ of: { id, name, removed_at: removedAt } }: { of: DeletedOrganization }) {
  const restoring = useRestoreOrganization();
  const restore = () => restoring.mutate(id, { onSuccess: () => toast.success(`${name} is back`), onError: (error) => toast.error(messageOf(error)) });
  return (
    <li className="flex flex-wrap items-center justify-between gap-3 px-4 py-3">
      <div className="min-w-0">
        <p className="break-words">{name}</p>
        <p className="text-caption text-subtle">
          Removed for good <RelativeTime time={removedAt} />
        </p>
      </div>
      <Button size="small" busy={restoring.isPending} aria-label={`Restore ${name}`} onClick={restore}>
        Restore
      </Button>
    </li>
  );
}
