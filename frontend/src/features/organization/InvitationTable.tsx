import { useState } from 'react';

import type { Invitation } from '@/api/types';
import { useNow } from '@/lib/useNow';
import { Button } from '@/ui/Button';
import { CodeBlock } from '@/ui/CodeBlock';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { Dialog } from '@/ui/Dialog';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';
import { toast } from '@/ui/toast';

import { useResend, useRevoke } from './queries';

const HEAD = (
  <>
    <Th>Invited</Th>
    <Th className="hidden sm:table-cell">Role</Th>
    <Th className="hidden sm:table-cell">Expires</Th>
    <Th>
      <span className="sr-only">Actions</span>
    </Th>
  </>
);

/** Invitations, to be sent again or revoked. */
export function InvitationTable({ organizationId, invitations }: { organizationId: string; invitations: Invitation[] }) {
  const now = useNow();
  const [revoking, setRevoking] = useState<Invitation | null>(null);
  const revoke = useRevoke(organizationId);
  const resending = useResend(organizationId);
  const link = resending.data?.link;
  const resend = (invitation: Invitation) => resending.mutate(invitation, { onSuccess: (sent) => !sent.link && toast.success(`A new link is on its way to ${invitation.email}`), onError: toast.problem });
  return (
    <>
      <Table label="Invitations" head={HEAD}>
        {invitations.map((invitation) => (
          <Tr key={invitation.id}>
            <Td className="max-w-72">
              <p className="break-all">{invitation.email}</p>
              <p className="text-caption text-subtle">
                <span className="sm:hidden">{invitation.role} </span>
                {invitation.invited_by && `by ${invitation.invited_by}`}
              </p>
            </Td>
            <Td className="hidden sm:table-cell">{invitation.role}</Td>
            <Td className="hidden text-muted sm:table-cell">
              {new Date(invitation.expires_at).getTime() <= now ? <StatusPill tone="warn">Expired</StatusPill> : <RelativeTime time={invitation.expires_at} />}
            </Td>
            <Td className="text-right">
              <div className="flex flex-col items-end gap-1 sm:flex-row sm:justify-end">
                <Button size="small" variant="ghost" aria-label={`Send again to ${invitation.email}`} onClick={() => resend(invitation)}>
                  Send again
                </Button>
                <Button size="small" variant="ghost" aria-label={`Revoke the invitation of ${invitation.email}`} onClick={() => setRevoking(invitation)}>
                  Revoke
                </Button>
              </div>
            </Td>
          </Tr>
        ))}
      </Table>
      {revoking && (
        <ConfirmDialog open onOpenChange={() => setRevoking(null)} title="Revoke the invitation?" effect={`The link that ${revoking.email} got works no more.`} action="Revoke invitation" onConfirm={() => revoke(revoking)} />
      )}
      {link && (
        <Dialog open onOpenChange={() => resending.reset()} title="Hand this link on" description="No mail server is set. The link works once, and the one before works no more.">
          <CodeBlock code={link} label="Link of the invitation" wrap />
        </Dialog>
      )}
    </>
  );
}
