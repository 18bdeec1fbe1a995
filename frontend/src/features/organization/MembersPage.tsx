import { useNavigate, useSearch } from '@tanstack/react-router';
import { SearchX } from 'lucide-react';

import { Empty } from '@/ui/Empty';
import { Input } from '@/ui/Field';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { PageHeader } from '@/ui/PageHeader';

import { InviteButton } from './InviteDialog';
import { MemberTable } from './MemberTable';
import { administers, type Organization, useOrganization } from '@/api/organization';
import { useMembers } from './queries';

/** The people of an organization. */
export function MembersPage() {
  const organization = useOrganization();
  if (!organization) return null;
  return (
    <>
      <PageHeader title="Members" context={organization.name} actions={administers(organization) ? <InviteButton organizationId={organization.id} /> : undefined}>
        Who belongs to {organization.name}, and in which role. A change holds at once.
      </PageHeader>
      <FoundMembers key={organization.id} organization={organization} />
    </>
  );
}

/** The list, and the search that stands in the address. */
function FoundMembers({ organization }: { organization: Organization }) {
  const { q = '' } = useSearch({ strict: false });
  const navigate = useNavigate();
  const members = useMembers(organization.id, q);
  const isWhole = q === '' && !members.hasNextPage;
  return (
    <div className="flex flex-col gap-4">
      <Input
        type="search"
        aria-label="Search members"
        placeholder="Search by name or address"
        maxLength={100}
        className="max-w-md"
        defaultValue={q}
        onChange={({ target }) => void navigate({ to: '.', search: { q: target.value || undefined }, replace: true })}
      />
      <Loaded query={members}>
        {(items) =>
          items.length > 0 ? (
            <MemberTable organization={organization} members={items} isWhole={isWhole} />
          ) : (
            <Empty icon={<SearchX />} title="Nobody matches">
              No name and no address of a member holds these letters.
            </Empty>
          )
        }
      </Loaded>
      {members.data && members.data.length > 0 && <LoadMore query={members} of="member" />}
    </div>
  );
}
