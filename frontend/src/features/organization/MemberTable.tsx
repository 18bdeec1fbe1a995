import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { useMe } from '@/api/session';
import type { OrganizationMember } from '@/api/types';
import { plural } from '@/lib/format';
import { Button } from '@/ui/Button';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { Select } from '@/ui/Field';
import { RelativeTime } from '@/ui/RelativeTime';
import { Table, Td, Th, Tr } from '@/ui/Table';
import { toast } from '@/ui/toast';

import { administers, type Organization } from '@/api/organization';
import { type Role, useChangeRole, useLeave, useRemoveMember } from './queries';

interface MemberTableProps {
  organization: Organization;
  members: OrganizationMember[];
  /** Whether these are all there are. */
  isWhole: boolean;
}

const LAST_OWNER = 'An organization needs an owner: make somebody else one first.';

const HEAD = (
  <>
    <Th>Person</Th>
    <Th>Role</Th>
    <Th className="hidden sm:table-cell">Joined</Th>
    <Th>
      <span className="sr-only">Actions</span>
    </Th>
  </>
);

export function MemberTable({ organization, members, isWhole }: MemberTableProps) {
  const { user } = useMe();
  const navigate = useNavigate();
  const leave = useLeave(organization.id);
  const ownsAlone = isWhole && members.filter((it) => it.role === 'owner').length === 1;
  const [removing, setRemoving] = useState<OrganizationMember | null>(null);
  const remove = useRemoveMember(organization.id);
  return (
    <>
      <Table label="Members" head={HEAD}>
        {members.map((member) => {
          const isOwn = member.user_id === user.id;
          const isLastOwner = ownsAlone && member.role === 'owner';
          const mayChange = administers(organization) && !isLastOwner && (organization.role === 'owner' || member.role !== 'owner');
          return (
            <Tr key={member.user_id}>
              <Td className="max-w-72">
                <p className="font-medium break-words">
                  {member.name} {isOwn && <span className="font-normal text-subtle">(you)</span>}
                </p>
                <p className="text-caption break-all text-subtle">{member.email}</p>
                {member.project_roles > 0 && <p className="text-caption text-subtle">{plural(member.project_roles, 'role')} in projects</p>}
              </Td>
              <Td>{mayChange ? <RoleSelect organization={organization} of={member} /> : <span title={isLastOwner ? LAST_OWNER : undefined}>{member.role}</span>}</Td>
              <Td className="hidden text-muted sm:table-cell">
                <RelativeTime time={member.joined_at} />
              </Td>
              <Td className="text-right">
                {isOwn && !isLastOwner && (
                  <Button size="small" variant="ghost" onClick={() => setRemoving(member)}>
                    Leave
                  </Button>
                )}
                {mayChange && !isOwn && (
                  <Button size="small" variant="ghost" aria-label={`Remove ${member.name}`} onClick={() => setRemoving(member)}>
                    Remove
                  </Button>
                )}
              </Td>
            </Tr>
          );
        })}
      </Table>
      {removing?.user_id === user.id && (
        <ConfirmDialog
          open
          onOpenChange={() => setRemoving(null)}
          title={`Leave ${organization.name}?`}
          effect="You are out of all of its projects at once, and only an admin can invite you back. Keys you made go on working at gateways."
          action="Leave organization"
          onConfirm={() => leave().then(() => navigate({ to: '/' }))}
        />
      )}
      {removing && removing.user_id !== user.id && (
        <ConfirmDialog
          open
          onOpenChange={() => setRemoving(null)}
          title={`Remove ${removing.name}?`}
          effect={`${removing.email} is out of ${organization.name} and all of its projects at once. Keys they made go on working at gateways; revoke those you do not want.`}
          action="Remove member"
          onConfirm={() => remove(removing)}
        />
      )}
    </>
  );
}

const ROLES: readonly Role[] = ['viewer', 'developer', 'admin', 'owner'];

function RoleSelect({ organization, of: member }: { organization: Organization; of: OrganizationMember }) {
  const changing = useChangeRole(organization.id);
  const change = (role: Role) => changing.mutate({ member, role }, { onSuccess: () => toast.success(`${member.name} is now ${role}`), onError: toast.problem });
  return (
    <Select
      aria-label={`Role of ${member.name}`}
      className="w-32!"
      value={member.role}
      disabled={changing.isPending}
      onChange={({ target }) => {
        const role = ROLES.find((it) => it === target.value);
        if (role) change(role);
      }}
    >
      {ROLES.filter((it) => it !== 'owner' || organization.role === 'owner').map((role) => (
        <option key={role}>{role}</option>
      ))}
    </Select>
  );
}
