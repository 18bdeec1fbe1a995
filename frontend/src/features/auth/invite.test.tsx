import { screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import { me, session } from '@/test/factories';
import { answer, json, problem } from '@/test/server';
import { visit } from '@/test/visit';

const invitation = (over: object = {}) => ({
  organization: 'Analytical Engines',
  email: 'ada@example.com',
  role: 'developer',
  invited_by: 'Charles Babbage',
  expires_at: '2026-12-01T00:00:00Z',
  has_account: true,
  ...over,
});

const open = () => visit('/invite#tok-1');

beforeEach(() => sessionStorage.clear());

test('somebody signed in joins with one press', async () => {
  const asked = vi.fn();
  answer('post', '/invitations/open', () => json(invitation()));
  answer('post', '/invitations/accept', async ({ request }) => {
    asked(await request.json());
    return json({ id: 'a', name: 'Analytical Engines', slug: 'analytical', role: 'developer' });
  });
  const { user, router } = open();
  expect(await screen.findByText('Charles Babbage invites you to Analytical Engines, as developer.')).toBeInTheDocument();
  await user.click(await screen.findByRole('button', { name: 'Join Analytical Engines' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical'));
  expect(asked).toHaveBeenCalledExactlyOnceWith({ token: 'tok-1' });
  expect(sessionStorage.getItem('invitation')).toBeNull();
});

test('somebody else is told whose invitation it is, and how to come back', async () => {
  answer('post', '/invitations/open', () => json(invitation({ email: 'grace@example.com' })));
  open();
  expect(await screen.findByText(/You are signed in as ada@example.com/)).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Log in as grace@example.com' })).toHaveAttribute('href', '/login?next=%2Finvite');
});

test('a new person makes an account for the invited address and is in', async () => {
  const asked = vi.fn();
  answer('post', '/invitations/open', () => json(invitation({ email: 'grace@example.com', has_account: false })));
  answer('post', '/invitations/sign-up', async ({ request }) => {
    asked(await request.json());
    return json(me().user, 201);
  });
  answer('post', '/auth/login', () => json(session()));
  const { user, router } = open();
  await user.type(await screen.findByLabelText('Name'), 'Grace Hopper');
  await user.type(screen.getByLabelText('Password'), 'a good enough password');
  await user.click(screen.getByRole('button', { name: 'Join Analytical Engines' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical/p/default'));
  expect(asked).toHaveBeenCalledExactlyOnceWith({ token: 'tok-1', name: 'Grace Hopper', password: 'a good enough password' });
});

test('a link that is not good any more says so', async () => {
  answer('post', '/invitations/open', () => problem(404, 'Invitation not valid', 'this invitation is not valid any more; ask whoever sent it for another'));
  open();
  expect(await screen.findByText(/ask whoever sent it for another/)).toBeInTheDocument();
});

test('who has an account and is signed out logs in first, and the token stays out of the address', async () => {
  answer('get', '/me', () => problem(401, 'Not signed in', 'no session'));
  answer('post', '/auth/refresh', () => problem(401, 'Not signed in', 'no session'));
  answer('post', '/invitations/open', () => json(invitation()));
  const { router } = open();
  await waitFor(() => expect(router.state.location.href).toBe('/login?next=%2Finvite'));
  expect(sessionStorage.getItem('invitation')).toBe('tok-1');
});
