import { screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import { leave } from '@/lib/leave';
import { session, system } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

vi.mock('@/lib/leave', () => ({ leave: vi.fn() }));

const BACK = '/signed-in?code=a%2Fb&state=the-state';
const KEYS = '/o/analytical/p/default/keys';

beforeEach(() => {
  vi.mocked(leave).mockClear();
  sessionStorage.clear();
  answer('get', '/system', () => json(system({ sign_in_providers: [{ name: 'corporate', label: 'Example Corp' }] })));
  answer('get', '/projects/{project_id}/keys', () => page([]));
  answer('get', '/projects/{project_id}/deployments', () => page([]));
});

test.each(['/login', '/signup'])('%s leads to the provider', async (path) => {
  answer('post', '/auth/oidc/{provider}/start', ({ params }) => json({ url: `https://login.example/${String(params.provider)}` }));
  const { user } = visit(path);
  await user.click(await screen.findByRole('button', { name: 'Continue with Example Corp' }));
  await waitFor(() => expect(leave).toHaveBeenCalledExactlyOnceWith('https://login.example/corporate'));
});

test('a provider that is away is said on the login page', async () => {
  answer('post', '/auth/oidc/{provider}/start', () => problem(503, 'Sign-in provider unavailable', 'Example Corp cannot be asked who you are'));
  const { user } = visit('/login');
  await user.click(await screen.findByRole('button', { name: 'Continue with Example Corp' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Example Corp cannot be asked who you are');
  expect(leave).not.toHaveBeenCalled();
});

test('back from the provider the reader is where they wanted to be', async () => {
  const asked = vi.fn();
  answer('post', '/auth/oidc/{provider}/start', () => json({ url: 'https://login.example/' }));
  answer('post', '/auth/oidc/finish', async ({ request }) => {
    asked(await request.json());
    return json({ outcome: 'session', session: session() });
  });
  const { user } = visit(`/login?next=${encodeURIComponent(KEYS)}`);
  await user.click(await screen.findByRole('button', { name: 'Continue with Example Corp' }));
  await waitFor(() => expect(leave).toHaveBeenCalled());
  const { router } = visit(BACK);
  await waitFor(() => expect(router.state.location.pathname).toBe(KEYS));
  expect(asked).toHaveBeenCalledExactlyOnceWith({ code: 'a/b', state: 'the-state' });
});

test.each(['12345678901234567890', '1e5', '007', '12'])('a code of the provider stays as it is: %s', async (code) => {
  const asked = vi.fn();
  answer('post', '/auth/oidc/finish', async ({ request }) => {
    asked(await request.json());
    return json({ outcome: 'session', session: session() });
  });
  visit(`/signed-in?code=${code}&state=1.0`);
  await waitFor(() => expect(asked).toHaveBeenCalledExactlyOnceWith({ code, state: '1.0' }));
});

test('an account with a second factor asks for its code', async () => {
  answer('post', '/auth/oidc/finish', () => json({ outcome: 'second_factor', session: null }));
  let asked = 0;
  answer('post', '/auth/oidc/second-factor', () => {
    asked += 1;
    return asked === 1 ? problem(403, 'Second factor wrong', 'this code is wrong') : json({ outcome: 'session', session: session() });
  });
  const { user, router } = visit(BACK);
  await user.type(await screen.findByLabelText('Code'), '123456');
  await user.click(screen.getByRole('button', { name: 'Log in' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('this code is wrong');
  await user.click(screen.getByRole('button', { name: 'Log in' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical/p/default'));
});

test('what went wrong is a sentence, and there is a way back', async () => {
  answer('post', '/auth/oidc/finish', () => problem(401, 'Sign-in lapsed', 'this sign-in was finished before; begin again'));
  visit('/signed-in?error=access_denied&state=the-state');
  expect(await screen.findByRole('alert')).toHaveTextContent('this sign-in was finished before; begin again');
  expect(screen.getByRole('link', { name: 'Back to log in' })).toHaveAttribute('href', '/login');
});

test('an address to confirm is said where the account was made', async () => {
  answer('get', '/system', () => json(system({ signup_domains: ['example.com'] })));
  answer('post', '/auth/register', () => problem(403, 'E-mail address to confirm', 'open the link'));
  const { user } = visit('/signup');
  expect(await screen.findByText('An address at example.com.')).toBeInTheDocument();
  await user.type(screen.getByLabelText('Name'), 'Ada Lovelace');
  await user.type(screen.getByLabelText('E-mail'), 'ada@example.com');
  await user.type(screen.getByLabelText('Password'), 'correct horse battery');
  await user.click(screen.getByRole('button', { name: 'Create account' }));
  expect(await screen.findByText(/open the link we sent to it/)).toBeInTheDocument();
});
