import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import type { Key } from '@/api/types';
import { key } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

const PAGE = '/o/analytical/p/default/keys';
const SECRET = 'hr_abcdefghijkl_s3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3t';

let keys: Key[];

beforeEach(() => {
  keys = [];
  answer('get', '/projects/{project_id}/keys', () => page(keys));
});

test('a new key is shown once, and the dialog ends only when it is stored', async () => {
  const asked = vi.fn();
  answer('post', '/projects/{project_id}/keys', async ({ request }) => {
    asked(await request.json());
    keys = [key()];
    return json({ key: key(), secret: SECRET }, 201);
  });
  const { user } = visit(PAGE);
  await user.click((await screen.findAllByRole('button', { name: 'Create key' }))[0]!);
  const form = within(await screen.findByRole('dialog'));
  await user.type(form.getByLabelText('Name'), ' checkout service ');
  await user.selectOptions(form.getByLabelText('Expires after'), 'Never');
  await user.click(form.getByRole('button', { name: 'Create key' }));

  expect(await screen.findByText(SECRET)).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({ name: 'checkout service', scopes: ['infer'], expires_at: null });
  const done = screen.getByRole('button', { name: 'Done' });
  expect(done).toBeDisabled();
  await user.keyboard('{Escape}');
  expect(screen.getByText(SECRET)).toBeInTheDocument();
  await user.click(screen.getByLabelText('I have stored it in a safe place'));
  await user.click(done);

  expect(await screen.findByRole('cell', { name: /checkout service/ })).toBeInTheDocument();
  expect(screen.queryByText(SECRET)).not.toBeInTheDocument();
});

test('a key without a name is refused in the form', async () => {
  const { user } = visit(PAGE);
  await user.click((await screen.findAllByRole('button', { name: 'Create key' }))[0]!);
  const form = within(await screen.findByRole('dialog'));
  await user.click(form.getByRole('button', { name: 'Create key' }));
  expect(await form.findByText('Give the key a name.')).toBeInTheDocument();
});

test('revoking asks first, says what happens, and hides the key', async () => {
  keys = [key()];
  answer('delete', '/projects/{project_id}/keys/{id}', () => {
    keys = [key({ revoked_at: '2026-11-21T00:00:00Z' })];
    return new Response(null, { status: 204 });
  });
  const { user, router } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Revoke checkout service' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByText(/will be refused with 401/)).toBeInTheDocument();
  await user.click(dialog.getByRole('button', { name: 'Revoke key' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(await screen.findByText('No key works any more')).toBeInTheDocument();

  await user.click(screen.getByLabelText('Show revoked and expired keys (1)'));
  expect(await screen.findByText('Revoked')).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ all: true });
});

test('a failed list says so and can be asked for again', async () => {
  let fails = true;
  answer('get', '/projects/{project_id}/keys', () => (fails ? problem(503, 'Database unavailable', 'the database does not answer') : page([key()])));
  const { user } = visit(PAGE);
  expect(await screen.findByRole('alert')).toHaveTextContent('the database does not answer');
  expect(screen.getByText('test-request')).toBeInTheDocument();
  fails = false;
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('cell', { name: /checkout service/ })).toBeInTheDocument();
});

test('keys come page after page', async () => {
  answer('get', '/projects/{project_id}/keys', ({ request }) =>
    new URL(request.url).searchParams.get('cursor') === 'second'
      ? page([key({ id: 'b', name: 'second page' })])
      : json({ items: [key({ id: 'a', name: 'first page' })], next_cursor: 'second' }),
  );
  visit(PAGE);
  expect(await screen.findByRole('cell', { name: /first page/ })).toBeInTheDocument();
  expect(screen.getByRole('cell', { name: /second page/ })).toBeInTheDocument();
});
