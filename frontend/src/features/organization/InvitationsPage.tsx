import { ForAdministrators } from '@/ui/ForAdministrators';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { Empty } from '@/ui/Empty';
import { MailPlus } from 'lucide-react';

import { InvitationTable } from './InvitationTable';
import { InviteButton } from './InviteDialog';
import { administers, useOrganization } from '@/api/organization';
import { useInvitations } from './queries';

/** Who was invited and has not come yet; for those who may invite. */
export function InvitationsPage() {
  const organization = useOrganization();
  if (!organization) return null;
  const invite = <InviteButton organizationId={organization.id} />;
  return (
    <>
      <PageHeader title="Invitations" context={organization.name} actions={administers(organization) ? invite : undefined}>
        Who was invited and has not come yet. A link works once, within 7 days, for its address alone.
      </PageHeader>
      <ForAdministrators of={organization} who="admins and owners invite people">
        <Invitations organizationId={organization.id} />
      </ForAdministrators>
    </>
  );
}

function Invitations({ organizationId }: { organizationId: string }) {
  const invitations = useInvitations(organizationId);
  return (
    <Loaded query={invitations}>
      {(items) =>
        items.length > 0 ? (
          <InvitationTable organizationId={organizationId} invitations={items} />
        ) : (
          <Empty icon={<MailPlus />} title="Nobody is awaited">
            Whom you invite stands here until they come.
          </Empty>
        )
      }
    </Loaded>
  );
}
