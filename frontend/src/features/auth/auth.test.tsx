import { screen, waitFor } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { session } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

type User = ReturnType<typeof visit>['user'];

async function logIn(user: User) {
  await user.type(await screen.findByLabelText('E-mail'), 'ada@example.com');
  await user.type(screen.getByLabelText('Password'), 'correct horse battery');
  await user.click(screen.getByRole('button', { name: 'Log in' }));
}

test('a wrong password is said in the form, which keeps what was typed', async () => {
  answer('post', '/auth/login', () => problem(401, 'Not signed in', 'the e-mail address or the password is wrong'));
  const { user, router } = visit('/login');
  await logIn(user);
  expect(await screen.findByRole('alert')).toHaveTextContent('the e-mail address or the password is wrong');
  expect(screen.getByLabelText('E-mail')).toHaveValue('ada@example.com');
  expect(router.state.location.pathname).toBe('/login');
});

test('logging in asks for a cookie session and leads back to where the reader was', async () => {
  const asked = vi.fn();
  answer('post', '/auth/login', async ({ request }) => {
    asked(await request.json());
    return json(session());
  });
  const { user, router } = visit('/login?next=%2Fo%2Fanalytical%2Fp%2Fdefault%2Fkeys');
  answer('get', '/projects/{project_id}/keys', () => page([]));
  await logIn(user);
  expect(await screen.findByRole('heading', { level: 1, name: 'API keys' })).toBeInTheDocument();
  expect(router.state.location.pathname).toBe('/o/analytical/p/default/keys');
  expect(asked).toHaveBeenCalledExactlyOnceWith({ email: 'ada@example.com', password: 'correct horse battery', session: 'cookie' });
});

test.each(['//evil.example/', '/\\evil.example/', 'https://evil.example/', '/\t/evil.example/', '/\n\\evil.example', 'javascript:alert(1)', 'evil.example', 'https:evil.example', '%2F%2Fevil.example', '%2F%5Cevil.example', 'https%3A%2F%2Fevil.example'])('a return address on another site is not followed: %j', async (next) => {
  answer('post', '/auth/login', () => json(session()));
  answer('get', '/projects/{project_id}/keys', () => page([]));
  answer('get', '/projects/{project_id}/deployments', () => page([]));
  const { user, router } = visit(`/login?next=${encodeURIComponent(next)}`);
  await logIn(user);
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical/p/default'));
});

test('an empty form names what is missing and asks nothing of the server', async () => {
  const { user } = visit('/login');
  await user.click(await screen.findByRole('button', { name: 'Log in' }));
  expect(await screen.findByText('Enter your e-mail address.')).toBeInTheDocument();
  expect(screen.getByText('Enter your password.')).toBeInTheDocument();
  expect(screen.getByLabelText('E-mail')).toHaveFocus();
});

test('signing up leads to the overview of the first project', async () => {
  answer('post', '/auth/register', () => json(session(), 201));
  answer('get', '/projects/{project_id}/keys', () => page([]));
  answer('get', '/projects/{project_id}/deployments', () => page([]));
  const { user, router } = visit('/signup');
  await user.type(await screen.findByLabelText('Name'), 'Ada Lovelace');
  await user.type(screen.getByLabelText('E-mail'), 'ada@example.com');
  await user.type(screen.getByLabelText('Password'), 'correct horse battery');
  await user.click(screen.getByRole('button', { name: 'Create account' }));
  expect(await screen.findByRole('heading', { name: 'Next steps' })).toBeInTheDocument();
  expect(router.state.location.pathname).toBe('/o/analytical/p/default');
});

test('a short password is refused before it is sent', async () => {
  const { user } = visit('/signup');
  await user.type(await screen.findByLabelText('Password'), 'short');
  await user.click(screen.getByRole('button', { name: 'Create account' }));
  expect(await screen.findByText('Use at least 10 characters.')).toBeInTheDocument();
});

test('what the server refuses is shown at its field', async () => {
  answer('post', '/auth/register', () => problem(422, 'Invalid', 'the request is not valid', [{ field: 'email', message: 'this address has an account' }]));
  const { user } = visit('/signup');
  await user.type(await screen.findByLabelText('Name'), 'Ada');
  await user.type(screen.getByLabelText('E-mail'), 'ada@example.com');
  await user.type(screen.getByLabelText('Password'), 'correct horse battery');
  await user.click(screen.getByRole('button', { name: 'Create account' }));
  await waitFor(() => expect(screen.getByLabelText('E-mail')).toHaveAccessibleDescription('this address has an account'));
  expect(screen.getByLabelText('E-mail')).toBeInvalid();
});

test('logging out forgets the session', async () => {
  let ended = false;
  answer('get', '/projects/{project_id}/keys', () => page([]));
  answer('post', '/auth/logout', ({ request }) => {
    ended = request.headers.get('X-CSRF-Token') === 'csrf-1';
    return new Response(null, { status: 204 });
  });
  const { user, router } = visit('/o/analytical/p/default/keys');
  await user.click(await screen.findByRole('button', { name: 'Account of Ada Lovelace' }));
  await user.click(await screen.findByRole('menuitem', { name: 'Log out' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/login'));
  expect(ended).toBe(true);
});

test('who forgot the password asks for a link, and is told the same whether or not there is an account', async () => {
  const asked = vi.fn();
  answer('post', '/auth/password-reset', async ({ request }) => {
    asked(await request.json());
    return new Response(null, { status: 204 });
  });
  const { user } = visit('/login');
  await user.click(await screen.findByRole('link', { name: 'Forgot your password?' }));
  await screen.findByRole('heading', { name: 'Forgot your password?' });
  await user.type(screen.getByLabelText('E-mail'), 'ada@example.com');
  await user.click(screen.getByRole('button', { name: 'Send the link' }));
  expect(await screen.findByRole('status')).toHaveTextContent('If there is an account for ada@example.com, a link is on its way to it.');
  expect(asked).toHaveBeenCalledExactlyOnceWith({ email: 'ada@example.com' });
});

test('the link sets a new password, and a void one says so', async () => {
  const asked = vi.fn();
  answer('post', '/auth/password-reset/complete', async ({ request }) => {
    asked(await request.json());
    return asked.mock.calls.length === 1 ? problem(422, 'Link void', 'this link was used') : new Response(null, { status: 204 });
  });
  const { user, router } = visit('/reset-password#the-token');
  await user.type(await screen.findByLabelText('New password'), 'four unrelated words');
  await user.click(screen.getByRole('button', { name: 'Set password' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('this link was used');
  await user.click(screen.getByRole('button', { name: 'Set password' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/login'));
  expect(asked).toHaveBeenLastCalledWith({ token: 'the-token', new_password: 'four unrelated words' });
});

test('an address is confirmed by a press, not by opening the link', async () => {
  const asked = vi.fn();
  answer('post', '/auth/verify-email', async ({ request }) => {
    asked(await request.json());
    return new Response(null, { status: 204 });
  });
  const { user } = visit('/verify-email#the-token');
  await user.click(await screen.findByRole('button', { name: 'Confirm' }));
  expect(await screen.findByRole('status')).toHaveTextContent('your address is confirmed');
  expect(asked).toHaveBeenCalledExactlyOnceWith({ token: 'the-token' });
});

test('a second factor is asked for once the password is right', async () => {
  const asked = vi.fn();
  answer('post', '/auth/login', async ({ request }) => {
    asked(await request.json());
    return asked.mock.calls.length === 1 ? problem(401, 'Second factor needed', 'the password is right') : json(session());
  });
  answer('get', '/projects/{project_id}/keys', () => page([]));
  const { user, router } = visit('/login?next=%2Fo%2Fanalytical%2Fp%2Fdefault%2Fkeys');
  await logIn(user);
  await user.type(await screen.findByLabelText('Code'), '123456');
  expect(screen.queryByRole('alert')).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Log in' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical/p/default/keys'));
  expect(asked).toHaveBeenLastCalledWith({ email: 'ada@example.com', password: 'correct horse battery', code: '123456', session: 'cookie' });
});
