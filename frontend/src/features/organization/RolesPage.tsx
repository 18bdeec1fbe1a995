import { Check } from 'lucide-react';

import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { useOrganization } from '@/api/organization';
import { type RoleTable, useRoles } from './queries';

/** Which role may do what, as the server's own table has it. */
export function RolesPage() {
  const organization = useOrganization();
  const roles = useRoles();
  if (!organization) return null;
  return (
    <>
      <PageHeader title="Roles" context={organization.name}>
        What each role may do. You are {organization.role}. A role in a project holds there instead of viewer or developer in the organization; admins and owners are it everywhere.
      </PageHeader>
      <Loaded query={roles}>{(table) => <Matrix table={table} />}</Loaded>
    </>
  );
}

const Matrix = ({ table: { roles, permissions } }: { table: RoleTable }) => (
  <Table
    label="Roles"
    head={
      <>
        <Th>May</Th>
        {roles.map((role) => (
          <Th key={role} className="text-center capitalize">
            {role}
          </Th>
        ))}
      </>
    }
  >
    {permissions.map((permission) => (
      <Tr key={permission.name}>
        <th scope="row" className="min-w-48 px-4 py-2 text-left font-normal">
          {permission.sentence}
          <span className="block font-mono text-caption text-subtle">{permission.name}</span>
        </th>
        {roles.map((role) => (
          <Td key={role} className="text-center">
            {permission.roles.includes(role) ? <Check aria-label="yes" role="img" className="inline size-4 text-ok" /> : <span className="sr-only">no</span>}
          </Td>
        ))}
      </Tr>
    ))}
  </Table>
);
