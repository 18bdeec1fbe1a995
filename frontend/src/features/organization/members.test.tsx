import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import { me } from '@/test/factories';
import { answer, json, page } from '@/test/server';
import { visit } from '@/test/visit';

const SETTINGS = '/o/analytical/settings';
const PAGE = `${SETTINGS}/members`;
const JOINED = '2026-11-20T09:30:00Z';
const ada = { user_id: me().user.id, email: 'ada@example.com', name: 'Ada Lovelace', role: 'owner', joined_at: JOINED, project_roles: 0 };
const grace = { user_id: 'g', email: 'grace@example.com', name: 'Grace Hopper', role: 'viewer', joined_at: JOINED, project_roles: 2 };
const invitation = { id: 'i', email: 'new@example.com', role: 'developer', invited_by: 'Ada Lovelace', created_at: JOINED, sent_at: JOINED, expires_at: '2026-12-01T00:00:00Z' };

let invitations: object[];

beforeEach(() => {
  invitations = [];
  answer('get', '/organizations/{organization_id}/members', () => page([ada, grace]));
  answer('get', '/organizations/{organization_id}/invitations', () => page(invitations));
});

test('a role is changed where it stands', async () => {
  const asked = vi.fn();
  answer('patch', '/organizations/{organization_id}/members/{user_id}', async ({ request, params }) => {
    asked(params.user_id, await request.json());
    return json({ ...grace, role: 'admin' });
  });
  const { user } = visit(PAGE);
  await user.selectOptions(await screen.findByLabelText('Role of Grace Hopper'), 'admin');
  await waitFor(() => expect(asked).toHaveBeenCalledExactlyOnceWith('g', { role: 'admin' }));
});

test('addresses are pasted as they come, and links are shown where no mail goes out', async () => {
  const asked = vi.fn();
  answer('post', '/organizations/{organization_id}/invitations', async ({ request }) => {
    asked(await request.json());
    invitations = [invitation];
    return json({ sent: [{ invitation, link: 'http://localhost:8080/invite#tok' }], members: ['grace@example.com'], waiting: [] }, 201);
  });
  answer('get', '/organizations/{organization_id}/settings', () =>
    json({ default_role: 'viewer', email_domains: ['example.com'], log_retention_days: null, alert_emails: [], slack_webhook: null }),
  );
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Invite people' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(await dialog.findByRole('option', { name: 'viewer, by default' })).toBeInTheDocument();
  expect(dialog.getByText(/Only @example.com\./)).toBeInTheDocument();
  await user.click(dialog.getByRole('button', { name: 'Invite' }));
  expect(await dialog.findByText('Enter at least one address.')).toBeInTheDocument();
  await user.click(dialog.getByLabelText('E-mail addresses'));
  await user.paste('New <new@example.com>, grace@example.com;\n');
  await user.click(dialog.getByRole('button', { name: 'Invite' }));
  expect(await screen.findByText(/invite#tok/)).toBeInTheDocument();
  expect(within(screen.getByLabelText('Outcome for each address')).getByText('Member already')).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({ emails: ['new@example.com', 'grace@example.com'] });
  await user.click(screen.getByRole('button', { name: 'Done' }));
  await user.click(screen.getByRole('link', { name: 'Invitations' }));
  expect(await screen.findByRole('cell', { name: /new@example.com/ })).toBeInTheDocument();
});

test('an invitation is revoked, and a member removed, after asking', async () => {
  const gone = vi.fn();
  invitations = [invitation];
  answer('delete', '/organizations/{organization_id}/invitations/{id}', ({ params }) => {
    gone(params.id);
    return new Response(null, { status: 204 });
  });
  answer('delete', '/organizations/{organization_id}/members/{user_id}', ({ params }) => {
    gone(params.user_id);
    return new Response(null, { status: 204 });
  });
  const { user } = visit(`${SETTINGS}/invitations`);
  await user.click(await screen.findByRole('button', { name: 'Revoke the invitation of new@example.com' }));
  await user.click(await screen.findByRole('button', { name: 'Revoke invitation' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  await user.click(within(screen.getByRole('navigation', { name: /Settings of/ })).getByRole('link', { name: 'Members' }));
  await user.click(await screen.findByRole('button', { name: 'Remove Grace Hopper' }));
  await user.click(await screen.findByRole('button', { name: 'Remove member' }));
  await waitFor(() => expect(gone.mock.calls).toEqual([['i'], ['g']]));
});

test('a viewer sees who belongs here and changes nothing', async () => {
  answer('get', '/me', () => json(me({ organizations: [{ ...me().organizations[0]!, role: 'viewer' }] })));
  visit(PAGE);
  expect(await screen.findByRole('cell', { name: /Grace Hopper/ })).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: /Invite|Remove/ })).not.toBeInTheDocument();
  expect(screen.queryByLabelText('Role of Grace Hopper')).not.toBeInTheDocument();
});

test('the last owner can neither leave nor be changed, and knows which row is theirs', async () => {
  visit(PAGE);
  expect(await screen.findByRole('cell', { name: /Ada Lovelace \(you\)/ })).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Leave' })).not.toBeInTheDocument();
  expect(screen.queryByLabelText('Role of Ada Lovelace')).not.toBeInTheDocument();
  expect(screen.getByText('2 roles in projects')).toBeInTheDocument();
});

test('people are searched, with the search in the address', async () => {
  const asked = vi.fn();
  answer('get', '/organizations/{organization_id}/members', ({ request }) => {
    asked(new URL(request.url).searchParams.get('q'));
    return page([]);
  });
  const { user, router } = visit(PAGE);
  await user.type(await screen.findByLabelText('Search members'), 'zo');
  expect(await screen.findByText('Nobody matches')).toBeInTheDocument();
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith('zo'));
  expect(router.state.location.search).toEqual({ q: 'zo' });
});

test('the matrix of roles is the server\'s', async () => {
  answer('get', '/roles', () => json({ roles: ['viewer', 'owner'], permissions: [{ name: 'organization:delete', sentence: 'Delete it.', roles: ['owner'] }] }));
  visit(`${SETTINGS}/roles`);
  const row = within(await screen.findByRole('row', { name: /Delete it/ }));
  expect(row.getAllByRole('cell').map((it) => it.querySelector('svg') !== null)).toEqual([false, true]);
});
