import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import { leave } from '@/lib/leave';
import { me, system } from '@/test/factories';
import { answer, json, problem } from '@/test/server';
import { visit } from '@/test/visit';

vi.mock('@/lib/leave', () => ({ leave: vi.fn() }));

const LINKED = { id: '018f0000-0000-7000-8000-000000000001', label: 'Example Corp', email: 'ada@example.com', linked_at: '2026-11-01T10:00:00Z', last_used_at: null };

beforeEach(() => {
  answer('get', '/me/sessions', () => json({ items: [] }));
  answer('get', '/system', () => json(system({ sign_in_providers: [{ name: 'corporate', label: 'Example Corp' }] })));
  answer('get', '/me/identities', () => json({ items: [] }));
});

test('a login elsewhere is linked by password', async () => {
  const asked = vi.fn();
  answer('post', '/me/identities', async ({ request }) => {
    asked(await request.json());
    return json({ url: 'https://login.example/' });
  });
  const { user } = visit('/account');
  await user.click(await screen.findByRole('button', { name: 'Link Example Corp…' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.type(dialog.getByLabelText('Password'), 'correct horse battery');
  await user.click(dialog.getByRole('button', { name: 'Go on' }));
  await waitFor(() => expect(leave).toHaveBeenCalledExactlyOnceWith('https://login.example/'));
  expect(asked).toHaveBeenCalledExactlyOnceWith({ provider: 'corporate', password: 'correct horse battery' });
});

test('a linked one is removed by password', async () => {
  let removed = 0;
  answer('get', '/me/identities', () => json({ items: removed > 1 ? [] : [LINKED] }));
  answer('post', '/me/identities/{identity_id}/remove', () => {
    removed += 1;
    return removed === 1 ? problem(403, 'Password wrong', 'the current password is wrong') : new Response(null, { status: 204 });
  });
  const { user } = visit('/account');
  expect(await screen.findByText(/ada@example.com, not used yet/)).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Unlink Example Corp' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.type(dialog.getByLabelText('Password'), 'correct horse battery');
  await user.click(dialog.getByRole('button', { name: 'Unlink' }));
  expect(await dialog.findByText('the current password is wrong')).toBeInTheDocument();
  await user.click(dialog.getByRole('button', { name: 'Unlink' }));
  expect(await screen.findByRole('button', { name: 'Link Example Corp…' })).toBeInTheDocument();
});

test('who has no password is sent a link that sets one', async () => {
  const asked = vi.fn();
  answer('get', '/me', () => json(me({ has_password: false })));
  answer('post', '/auth/password-reset', async ({ request }) => {
    asked(await request.json());
    return new Response(null, { status: 204 });
  });
  const { user } = visit('/account');
  await user.click(await screen.findByRole('button', { name: 'Set a password' }));
  expect(await screen.findByText(/A link is on its way to/)).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({ email: me().user.email });
  expect(screen.queryByLabelText('Current password')).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Delete account…' }));
  expect(screen.getByRole('button', { name: 'Delete account…' })).toHaveAccessibleDescription('Set a password first.');
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
});
