import { UserPlus } from 'lucide-react';
import { useState } from 'react';

import { useRefusal } from '@/api/permissions';
import type { Project, ProjectMember } from '@/api/types';
import { Select } from '@/ui/Field';
import { GuardedButton } from '@/ui/Guarded';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { Table, Td, Th, Tr } from '@/ui/Table';
import { toast } from '@/ui/toast';

import { type ProjectRole, useProjectMembers, useSetProjectRole } from '../queries';
import { PROJECT_ROLES } from '../visibility';
import { AddMemberDialog } from './AddMemberDialog';

const HEAD = (
  <>
    <Th>Who</Th>
    <Th className="hidden sm:table-cell">In the organization</Th>
    <Th>Here</Th>
    <Th>Counts</Th>
  </>
);

/** Who sees the project, with the role that counts in it. */
export function ProjectMembers({ project }: { project: Project }) {
  const members = useProjectMembers(project.id);
  const [adding, setAdding] = useState(false);
  return (
    <section className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-section">Members</h2>
        <GuardedButton needs="projects:share" icon={<UserPlus aria-hidden />} onClick={() => setAdding(true)}>
          Add a member
        </GuardedButton>
      </div>
      <Loaded query={members}>
        {(items) => (
          <Table label="Members of the project" head={HEAD}>
            {items.map((member) => (
              <MemberRow key={member.user_id} project={project} member={member} />
            ))}
          </Table>
        )}
      </Loaded>
      {members.data && <LoadMore query={members} of="member" />}
      {adding && <AddMemberDialog project={project} close={() => setAdding(false)} />}
    </section>
  );
}

const MemberRow = ({ project, member }: { project: Project; member: ProjectMember }) => (
  <Tr>
    <Td className="max-w-72">
      <p className="font-medium break-words">{member.name}</p>
      <p className="text-caption break-all text-subtle">{member.email ?? 'service account'}</p>
    </Td>
    <Td className="hidden text-muted sm:table-cell">{member.organization_role}</Td>
    <Td>
      <RoleHere project={project} member={member} />
    </Td>
    <Td>{member.role}</Td>
  </Tr>
);

const INHERITED = '';

/** Raises or restricts; administrators of the organization are administrators of all of its projects. */
function RoleHere({ project, member }: { project: Project; member: ProjectMember }) {
  const setting = useSetProjectRole(project.id);
  const refusal = useRefusal('projects:share');
  const isFixed = member.organization_role === 'admin' || member.organization_role === 'owner';
  if (isFixed) return <span className="text-subtle">all projects</span>;
  if (refusal !== undefined) return <span>{member.project_role ?? 'inherited'}</span>;
  const set = (role: ProjectRole | null) =>
    setting.mutate({ userId: member.user_id, role }, { onSuccess: () => toast.success(role ? `${member.name} is now ${role} here` : `${member.name} has the role of the organization again`), onError: toast.problem });
  return (
    <Select
      aria-label={`Role of ${member.name} here`}
      className="w-32!"
      value={member.project_role ?? INHERITED}
      disabled={setting.isPending}
      onChange={({ target }) => set(PROJECT_ROLES.find((it) => it === target.value) ?? null)}
    >
      <option value={INHERITED}>{project.visibility === 'private' ? 'none' : 'inherited'}</option>
      {PROJECT_ROLES.map((role) => (
        <option key={role}>{role}</option>
      ))}
    </Select>
  );
}

