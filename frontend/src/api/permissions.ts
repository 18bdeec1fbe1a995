/** What the signed-in person may do in the page's project. The server decides; the page says so before they try. */
import { queryOptions, useQuery } from '@tanstack/react-query';

import { api, call } from './client';
import { useProject } from './projects';
import type { RoleTable } from './types';

export type Permission = RoleTable['permissions'][number]['name'];

/** The table of roles; it changes with the server's version only. */
export const rolesQuery = queryOptions({ queryKey: ['roles'], queryFn: ({ signal }) => call(api.GET('/api/v1/roles', { signal })), staleTime: Infinity });

/** Why they may not change something that needs `permission`; undefined if they may. Keys are revoked in archived projects, too. */
export function useRefusal(permission: Permission, { inArchived = false } = {}): string | undefined {
  const { role, archived_at: archivedAt } = useProject();
  const { data: table } = useQuery(rolesQuery);
  const allowed = table?.permissions.find(({ name }) => name === permission)?.roles;
  if (allowed && !allowed.includes(role)) return `This needs the role ${allowed[0] ?? 'owner'}; yours in this project is ${role}.`;
  return archivedAt && !inArchived ? 'This project is archived: nothing in it changes until it is taken out of the archive.' : undefined;
}
