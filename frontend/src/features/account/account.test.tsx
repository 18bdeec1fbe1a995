import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import type { OwnSession } from '@/api/types';
import { me, ownSession } from '@/test/factories';
import { answer, json, problem } from '@/test/server';
import { visit } from '@/test/visit';

import { deviceName } from './device';

const PHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1';
const LAPTOP = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

let sessions: OwnSession[];

beforeEach(() => {
  sessions = [ownSession({ id: 'a', agent: LAPTOP, is_current: true }), ownSession({ id: 'b', agent: PHONE, address: '10.0.0.7' })];
  answer('get', '/me/sessions', () => json({ items: sessions }));
  answer('get', '/me/identities', () => json({ items: [] }));
});

test.each([
  [LAPTOP, 'Firefox on Linux'],
  [PHONE, 'Safari on iOS'],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36 Edg/144.0.0.0', 'Edge on Windows'],
  ['Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Mobile Safari/537.36', 'Chrome on Android'],
  ['python-httpx/0.28.1', 'python-httpx/0.28.1'],
  ['', 'Unknown program'],
])('%s is called what people call it', (agent, name) => {
  expect(deviceName(agent)).toBe(name);
});

test('the menu leads to the account, where sessions are listed and ended one by one', async () => {
  const ended = vi.fn();
  answer('delete', '/me/sessions/{session_id}', ({ params }) => {
    ended(params.session_id);
    sessions = sessions.filter((it) => it.is_current);
    return new Response(null, { status: 204 });
  });
  answer('get', '/projects/{project_id}/keys', () => json({ items: [], next_cursor: null }));
  const { user, router } = visit('/o/analytical/p/default/keys');
  await user.click(await screen.findByRole('button', { name: 'Account of Ada Lovelace' }));
  await user.click(await screen.findByRole('menuitem', { name: 'Account' }));
  expect(await screen.findByRole('cell', { name: 'Firefox on Linux This one' })).toBeInTheDocument();
  expect(router.state.location.pathname).toBe('/account');

  await user.click(screen.getByRole('button', { name: 'End the session of Safari on iOS at 10.0.0.7' }));
  await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'End session' }));
  await waitFor(() => expect(screen.queryByRole('cell', { name: 'Safari on iOS' })).not.toBeInTheDocument());
  expect(ended).toHaveBeenCalledExactlyOnceWith('b');
  expect(screen.queryByRole('button', { name: /End the session/ })).not.toBeInTheDocument();
});

test('a new password needs the current one, and a refusal keeps what was typed', async () => {
  const asked = vi.fn();
  let refuses = true;
  answer('post', '/me/password', async ({ request }) => {
    asked(await request.json());
    return refuses ? problem(403, 'Password wrong', 'the current password is wrong') : new Response(null, { status: 204 });
  });
  const { user } = visit('/account');
  await user.type(await screen.findByLabelText('Current password'), 'as it was before');
  await user.type(screen.getByLabelText('New password'), 'short');
  await user.click(screen.getByRole('button', { name: 'Change password' }));
  expect(await screen.findByText('Use at least 10 characters.')).toBeInTheDocument();
  await user.type(screen.getByLabelText('New password'), ' but longer now');
  await user.click(screen.getByRole('button', { name: 'Change password' }));
  expect(await screen.findByText('the current password is wrong')).toBeInTheDocument();
  expect(screen.getByLabelText('New password')).toHaveValue('short but longer now');
  refuses = false;
  await user.click(screen.getByRole('button', { name: 'Change password' }));
  await waitFor(() => expect(screen.getByLabelText('New password')).toHaveValue(''));
  expect(asked).toHaveBeenLastCalledWith({ current_password: 'as it was before', new_password: 'short but longer now' });
});

test('the account is deleted only with the password, and then the reader is out', async () => {
  const asked = vi.fn();
  answer('post', '/me/deletion', async ({ request }) => {
    asked(await request.json());
    return asked.mock.calls.length === 1 ? problem(409, 'Owner needed', 'only you own Analytical Engines') : new Response(null, { status: 204 });
  });
  const { user, router } = visit('/account');
  await user.click(await screen.findByRole('button', { name: 'Delete account…' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByRole('button', { name: 'Delete account' })).toBeDisabled();
  await user.type(dialog.getByLabelText('Password'), 'correct horse battery');
  await user.click(dialog.getByRole('button', { name: 'Delete account' }));
  expect(await dialog.findByRole('alert')).toHaveTextContent('only you own Analytical Engines');
  await user.click(dialog.getByRole('button', { name: 'Delete account' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/signup'));
  expect(asked).toHaveBeenLastCalledWith({ password: 'correct horse battery' });
});

test('an address that is not confirmed can be sent a link', async () => {
  const asked = vi.fn();
  answer('get', '/me', () => json(me({ is_email_verified: false })));
  answer('post', '/me/verification', () => {
    asked();
    return asked.mock.calls.length === 1 ? problem(429, 'Too many mails', 'too many mails were asked for') : new Response(null, { status: 204 });
  });
  const { user } = visit('/account');
  await user.click(await screen.findByRole('button', { name: 'Send the link' }));
  expect(await screen.findByText('too many mails were asked for')).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Send the link' }));
  expect(await screen.findByText(/A link is on its way to you/)).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Send the link' })).not.toBeInTheDocument();
});

test('a second factor is turned on by password, picture and code, and its recovery codes are shown once', async () => {
  const asked = vi.fn();
  let isOn = false;
  answer('get', '/me', () => json(me({ has_second_factor: isOn })));
  answer('post', '/me/second-factor', async ({ request }) => {
    asked(await request.json());
    return json({ secret: 'JBSWY3DP', uri: 'otpauth://totp/x', qr: 'data:image/svg+xml,x' }, 201);
  });
  answer('post', '/me/second-factor/confirm', async ({ request }) => {
    asked(await request.json());
    isOn = true;
    return json({ codes: ['abcd-efgh', 'ijkl-mnop'] });
  });
  const { user } = visit('/account');
  await user.click(await screen.findByRole('button', { name: 'Turn on…' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.type(dialog.getByLabelText('Password'), 'correct horse battery');
  await user.click(dialog.getByRole('button', { name: 'Go on' }));
  expect(await dialog.findByRole('img', { name: 'Key to scan' })).toBeInTheDocument();
  await user.type(dialog.getByLabelText('Code'), '123456');
  await user.click(dialog.getByRole('button', { name: 'Turn on' }));
  expect(await dialog.findByText(/abcd-efgh/)).toBeInTheDocument();
  expect(dialog.getByRole('button', { name: 'Done' })).toBeDisabled();
  await user.click(dialog.getByLabelText('I have stored them in a safe place'));
  await user.click(dialog.getByRole('button', { name: 'Done' }));
  expect(await screen.findByRole('button', { name: 'Turn off…' })).toBeInTheDocument();
  expect(asked.mock.calls).toEqual([[{ password: 'correct horse battery' }], [{ code: '123456' }]]);
});

test('a second factor is turned off by password and code', async () => {
  const asked = vi.fn();
  let isOn = true;
  answer('get', '/me', () => json(me({ has_second_factor: isOn })));
  answer('post', '/me/second-factor/remove', async ({ request }) => {
    asked(await request.json());
    if (asked.mock.calls.length === 1) return problem(403, 'Second factor wrong', 'this code is wrong');
    isOn = false;
    return new Response(null, { status: 204 });
  });
  const { user } = visit('/account');
  await user.click(await screen.findByRole('button', { name: 'Turn off…' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.type(dialog.getByLabelText('Password'), 'correct horse battery');
  await user.type(dialog.getByLabelText('Code'), 'abcd-efgh');
  await user.click(dialog.getByRole('button', { name: 'Turn off' }));
  expect(await dialog.findByText('this code is wrong')).toBeInTheDocument();
  await user.click(dialog.getByRole('button', { name: 'Turn off' }));
  expect(await screen.findByRole('button', { name: 'Turn on…' })).toBeInTheDocument();
  expect(asked).toHaveBeenLastCalledWith({ password: 'correct horse battery', code: 'abcd-efgh' });
});

test('recovery codes are replaced by password and code, and the new ones shown once', async () => {
  const asked = vi.fn();
  answer('get', '/me', () => json(me({ has_second_factor: true })));
  answer('post', '/me/second-factor/recovery-codes', async ({ request }) => {
    asked(await request.json());
    return asked.mock.calls.length === 1 ? problem(403, 'Second factor wrong', 'this code is wrong') : json({ codes: ['qrst-uvwx'] });
  });
  const { user } = visit('/account');
  await user.click(await screen.findByRole('button', { name: 'New recovery codes…' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.type(dialog.getByLabelText('Password'), 'correct horse battery');
  await user.type(dialog.getByLabelText('Code'), '123456');
  await user.click(dialog.getByRole('button', { name: 'Make new codes' }));
  expect(await dialog.findByText('this code is wrong')).toBeInTheDocument();
  await user.click(dialog.getByRole('button', { name: 'Make new codes' }));
  expect(await dialog.findByText('qrst-uvwx')).toBeInTheDocument();
  await user.click(dialog.getByLabelText('I have stored them in a safe place'));
  await user.click(dialog.getByRole('button', { name: 'Done' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(asked).toHaveBeenLastCalledWith({ password: 'correct horse battery', code: '123456' });
});
