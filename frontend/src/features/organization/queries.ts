import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { allItems, everyPage, paging } from '@/api/paging';
import { rolesQuery } from '@/api/permissions';
import type { Invitation, OrganizationMember, RoleTable } from '@/api/types';

export type { RoleTable };
export type Role = OrganizationMember['role'];
export type InvitedRole = Invitation['role'];

const membersKey = (organizationId: string) => ['members', organizationId] as const;
const invitationsKey = (organizationId: string) => ['invitations', organizationId] as const;

const inOrganization = (organizationId: string) => ({ path: { organization_id: organizationId } });

/** Those whose name or address holds `q`, page by page. */
export const useMembers = (organizationId: string, q: string) =>
  useInfiniteQuery({
    queryKey: [...membersKey(organizationId), q],
    queryFn: ({ signal, pageParam }) => call(api.GET('/api/v1/organizations/{organization_id}/members', { params: { ...inOrganization(organizationId), query: { q, ...pageParam } }, signal })),
    ...paging,
    select: allItems,
    placeholderData: keepPreviousData,
  });

export const useRoles = () => useQuery(rolesQuery);

/** Those who have not come yet; only who may invite may ask. */
export const useInvitations = (organizationId: string) =>
  useQuery({
    queryKey: invitationsKey(organizationId),
    queryFn: ({ signal }) =>
      everyPage((page) => call(api.GET('/api/v1/organizations/{organization_id}/invitations', { params: { ...inOrganization(organizationId), query: page }, signal }))),
  });

export function useChangeRole(organizationId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ member, role }: { member: OrganizationMember; role: Role }) =>
      call(api.PATCH('/api/v1/organizations/{organization_id}/members/{user_id}', { params: { path: { organization_id: organizationId, user_id: member.user_id } }, body: { role } })),
    // Whoever changes their own role may do less from now on.
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: membersKey(organizationId) }), client.invalidateQueries({ queryKey: ['me'] })]),
  });
}

export function useRemoveMember(organizationId: string) {
  const client = useQueryClient();
  return async ({ user_id: userId }: OrganizationMember) => {
    await call(api.DELETE('/api/v1/organizations/{organization_id}/members/{user_id}', { params: { path: { organization_id: organizationId, user_id: userId } } }));
    await client.invalidateQueries({ queryKey: membersKey(organizationId) });
  };
}

/** Ends the caller's own membership; what they saw there is forgotten. */
export function useLeave(organizationId: string) {
  const client = useQueryClient();
  return async () => {
    await call(api.DELETE('/api/v1/me/organizations/{left_id}', { params: { path: { left_id: organizationId } } }));
    await client.invalidateQueries({ queryKey: ['me'] });
  };
}

export function useInvite(organizationId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { emails: string[]; role?: InvitedRole }) => call(api.POST('/api/v1/organizations/{organization_id}/invitations', { params: inOrganization(organizationId), body })),
    onSuccess: () => client.invalidateQueries({ queryKey: invitationsKey(organizationId) }),
    // The answer may hold links that let people in: forget it with the dialog that shows them.
    gcTime: 0,
  });
}

export function useResend(organizationId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id }: Invitation) => call(api.POST('/api/v1/organizations/{organization_id}/invitations/{id}/resend', { params: { path: { organization_id: organizationId, id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: invitationsKey(organizationId) }),
    gcTime: 0,
  });
}

export function useRevoke(organizationId: string) {
  const client = useQueryClient();
  return async ({ id }: Invitation) => {
    await call(api.DELETE('/api/v1/organizations/{organization_id}/invitations/{id}', { params: { path: { organization_id: organizationId, id } } }));
    await client.invalidateQueries({ queryKey: invitationsKey(organizationId) });
  };
}
