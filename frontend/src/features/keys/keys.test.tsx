import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import type { Key } from '@/api/types';
import { deployment, key, project } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

const PAGE = '/o/analytical/p/default/keys';
const NONE = { requests_per_s: null, burst: null, rows_per_s: null, requests_per_day: null, max_concurrency: null };
const ANYWHERE = { deployments: null, networks: [] };
const SECRET = 'hr_abcdefghijkl_s3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3t';

const limitsOf = async (name: string) => within((await screen.findByRole('cell', { name: new RegExp(name) })).closest('tr')!).getAllByRole('cell')[2];

const SCOPES = [
  { name: 'infer', sentence: 'Call the project’s deployments.' },
  { name: 'models:read', sentence: 'See models.' },
  { name: 'models:write', sentence: 'Also change them.' },
];

let keys: Key[];

beforeEach(() => {
  keys = [];
  answer('get', '/projects/{project_id}/keys', () => page(keys));
  answer('get', '/projects/{project_id}/monitoring/keys', () => json({ items: [] }));
  answer('get', '/organizations/{organization_id}/service-accounts', () => page([]));
  answer('get', '/scopes', () => json({ items: SCOPES }));
  answer('get', '/projects/{project_id}/deployments', () => page([deployment({ id: 'fraud-id', name: 'fraud' }), deployment({ id: 'churn-id', name: 'churn' })]));
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
  expect(asked).toHaveBeenCalledExactlyOnceWith({ name: 'checkout service', scopes: ['infer'], expires_at: null, limits: NONE, ...ANYWHERE, owner_id: null });
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

test('a new key may do what is ticked, and must do something', async () => {
  const asked = vi.fn();
  answer('post', '/projects/{project_id}/keys', async ({ request }) => {
    asked(await request.json());
    return json({ key: key(), secret: SECRET }, 201);
  });
  const { user } = visit(PAGE);
  await user.click((await screen.findAllByRole('button', { name: 'Create key' }))[0]!);
  const form = within(await screen.findByRole('dialog'));
  await user.type(form.getByLabelText('Name'), 'operations');
  await user.selectOptions(form.getByLabelText('Expires after'), 'Never');
  await user.click(await form.findByLabelText('infer'));
  await user.click(form.getByRole('button', { name: 'Create key' }));
  expect(await form.findByText('A key that may do nothing is of no use.')).toBeInTheDocument();

  expect(form.getByLabelText('models:write')).toHaveAccessibleDescription('Also change them.');
  await user.click(form.getByLabelText('models:write'));
  await user.click(form.getByLabelText('models:read'));
  await user.click(form.getByRole('button', { name: 'Create key' }));
  expect(await screen.findByText(SECRET)).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({ name: 'operations', scopes: ['models:read', 'models:write'], expires_at: null, limits: NONE, ...ANYWHERE, owner_id: null });
});

test('a new key can be limited; what is wrong about a limit is said before it is sent', async () => {
  const asked = vi.fn();
  answer('post', '/projects/{project_id}/keys', async ({ request }) => {
    asked(await request.json());
    return json({ key: key(), secret: SECRET }, 201);
  });
  const { user } = visit(PAGE);
  await user.click((await screen.findAllByRole('button', { name: 'Create key' }))[0]!);
  const form = within(await screen.findByRole('dialog'));
  await user.type(form.getByLabelText('Name'), 'checkout service');
  await user.selectOptions(form.getByLabelText('Expires after'), 'Never');
  await user.click(form.getByText('Limits'));
  await user.type(form.getByLabelText('Requests in a burst'), '2.5');
  await user.type(form.getByLabelText('Rows a second'), 'many');
  await user.click(form.getByRole('button', { name: 'Create key' }));
  expect(await form.findByText('Type a whole number.')).toBeInTheDocument();
  expect(form.getByText('Type a number, or nothing for no limit.')).toBeInTheDocument();

  await user.clear(form.getByLabelText('Rows a second'));
  await user.clear(form.getByLabelText('Requests in a burst'));
  await user.type(form.getByLabelText('Requests in a burst'), '20');
  expect(await form.findByText('A burst needs requests a second, at which it comes back.')).toBeInTheDocument();
  await user.type(form.getByLabelText('Requests a second'), '0.5');
  await user.click(form.getByRole('button', { name: 'Create key' }));
  expect(await screen.findByText(SECRET)).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({ name: 'checkout service', scopes: ['infer'], expires_at: null, limits: { ...NONE, requests_per_s: 0.5, burst: 20 }, ...ANYWHERE, owner_id: null });
});

test('limits are shown in plain words, with what was used of the quota today', async () => {
  keys = [
    key({ id: 'a', name: 'till', limits: { ...NONE, requests_per_s: 2.5, burst: 1200, rows_per_s: 5000, max_concurrency: 8 } }),
    key({ id: 'b', name: 'nightly', limits: { ...NONE, requests_per_day: 1000 }, requests_today: 312 }),
    key({ id: 'c', name: 'unheard', limits: { ...NONE, requests_per_day: 1000 }, requests_today: null }),
    key({ id: 'd', name: 'free' }),
  ];
  visit(PAGE);
  expect(await limitsOf('till')).toHaveTextContent('2.5 requests/s, 1,200 in a burst5,000 rows/s8 at once');
  expect(await limitsOf('nightly')).toHaveTextContent('312 of 1,000 today');
  expect(await limitsOf('unheard')).toHaveTextContent('1,000 a day');
  expect(await limitsOf('free')).toHaveTextContent('No limits');
});

test('a key is renamed, and its limits changed, where they stand', async () => {
  keys = [key({ limits: { ...NONE, requests_per_s: 100, requests_per_day: 1000 } })];
  const asked = vi.fn();
  answer('patch', '/projects/{project_id}/keys/{id}', async ({ request }) => {
    asked(await request.json());
    const changed = key({ name: 'till', limits: { ...NONE, requests_per_s: 100, max_concurrency: 4 } });
    keys = [changed];
    return json(changed);
  });
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Edit checkout service' }));
  const form = within(await screen.findByRole('dialog'));
  expect(form.getByLabelText('Requests a second')).toHaveValue('100');
  await user.clear(form.getByLabelText('Name'));
  await user.type(form.getByLabelText('Name'), 'till');
  await user.clear(form.getByLabelText('Requests a day'));
  await user.type(form.getByLabelText('Requests at once'), '4');
  await user.click(form.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(asked).toHaveBeenCalledExactlyOnceWith({ name: 'till', limits: { ...NONE, requests_per_s: 100, max_concurrency: 4 }, ...ANYWHERE });
  expect(await screen.findByRole('cell', { name: /till/ })).toBeInTheDocument();
});

test('a refused change says why and keeps what was typed', async () => {
  keys = [key()];
  answer('patch', '/projects/{project_id}/keys/{id}', () => problem(422, 'Key limits unfit', 'a burst needs requests_per_s'));
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Edit checkout service' }));
  const form = within(await screen.findByRole('dialog'));
  await user.type(form.getByLabelText('Requests a day'), '12');
  await user.click(form.getByRole('button', { name: 'Save' }));
  expect(await form.findByRole('alert')).toHaveTextContent('a burst needs requests_per_s');
  expect(form.getByLabelText('Requests a day')).toHaveValue('12');
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

test('a new key can be for some deployments and some networks', async () => {
  const asked = vi.fn();
  answer('post', '/projects/{project_id}/keys', async ({ request }) => {
    asked(await request.json());
    return json({ key: key(), secret: SECRET }, 201);
  });
  const { user } = visit(PAGE);
  await user.click((await screen.findAllByRole('button', { name: 'Create key' }))[0]!);
  const form = within(await screen.findByRole('dialog'));
  await user.type(form.getByLabelText('Name'), 'till');
  await user.selectOptions(form.getByLabelText('Expires after'), 'Never');
  await user.click(form.getByText('Deployments and networks'));
  await user.click(await form.findByLabelText('fraud'));
  await user.type(form.getByLabelText('Networks'), '10.0.0.0/8{Enter}2001:db8::/32, ::1{Enter}');
  await user.click(form.getByRole('button', { name: 'Create key' }));
  expect(await screen.findByText(SECRET)).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({
    name: 'till',
    scopes: ['infer'],
    expires_at: null,
    limits: NONE,
    deployments: ['fraud-id'],
    networks: ['10.0.0.0/8', '2001:db8::/32', '::1'],
    owner_id: null,
  });
});

test('what a key is for is shown and changed, deployments that are gone included', async () => {
  keys = [key({ deployments: ['churn-id', 'long-gone-id'], networks: ['10.0.0.0/8'] })];
  const asked = vi.fn();
  answer('patch', '/projects/{project_id}/keys/{id}', async ({ request }) => {
    asked(await request.json());
    return json(key());
  });
  const { user } = visit(PAGE);
  const row = within((await screen.findByRole('cell', { name: /checkout service/ })).closest('tr')!);
  expect(row.getByText('2 deployments only')).toBeInTheDocument();
  expect(row.getByText('from 10.0.0.0/8')).toBeInTheDocument();
  expect(row.getByText('by Ada Lovelace')).toBeInTheDocument();
  await user.click(row.getByRole('button', { name: 'Edit checkout service' }));
  const form = within(await screen.findByRole('dialog'));
  expect(await form.findByLabelText('churn')).toBeChecked();
  expect(form.getByLabelText('fraud')).not.toBeChecked();
  await user.click(form.getByLabelText(/A deleted deployment/));
  await user.clear(form.getByLabelText('Networks'));
  await user.click(form.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(asked).toHaveBeenCalledExactlyOnceWith({ name: 'checkout service', limits: NONE, deployments: ['churn-id'], networks: [] });
});

test('a key is rotated: the new secret is shown once, and the list says how long the old one is good', async () => {
  keys = [key()];
  const asked = vi.fn();
  answer('post', '/projects/{project_id}/keys/{id}/rotate', async ({ request }) => {
    asked(await request.json());
    keys = [key({ previous_expires_at: new Date(Date.now() + 7 * 86_400_000).toISOString() })];
    return json({ key: keys[0], secret: SECRET });
  });
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Rotate checkout service' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByLabelText('The old secret stays good for')).toHaveDisplayValue('1 day');
  await user.selectOptions(dialog.getByLabelText('The old secret stays good for'), '7 days');
  await user.click(dialog.getByRole('button', { name: 'Rotate key' }));
  expect(await screen.findByText(SECRET)).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({ overlap_s: 604_800 });
  await user.click(screen.getByLabelText('I have stored it in a safe place'));
  await user.click(screen.getByRole('button', { name: 'Done' }));
  expect(await screen.findByText(/Old secret ends/)).toBeInTheDocument();
  expect(screen.queryByText(SECRET)).not.toBeInTheDocument();
});

test('a refused rotation says why', async () => {
  keys = [key()];
  answer('post', '/projects/{project_id}/keys/{id}/rotate', () => problem(409, 'Key not working', 'this key has been revoked'));
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Rotate checkout service' }));
  await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Rotate key' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('this key has been revoked');
});

test('who may not change keys is told why, and may go on reading', async () => {
  keys = [key()];
  answer('get', '/lookup', () => json(project({ role: 'viewer' })));
  const { user } = visit(PAGE);
  const create = await screen.findByRole('button', { name: 'Create key' });
  await waitFor(() => expect(create).toHaveAccessibleDescription('This needs the role developer; yours in this project is viewer.'));
  expect(create).toHaveAttribute('aria-disabled', 'true');
  await user.click(create);
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
});

test('in an archived project keys are revoked and nothing else', async () => {
  keys = [key()];
  answer('get', '/lookup', () => json(project({ archived_at: '2026-11-20T09:30:00Z' })));
  visit(PAGE);
  expect(await screen.findByText(/This project is archived/)).toBeInTheDocument();
  expect(await screen.findByRole('button', { name: `Rotate ${key().name}` })).toHaveAttribute('aria-disabled', 'true');
  expect(screen.getByRole('button', { name: `Revoke ${key().name}` })).not.toHaveAttribute('aria-disabled');
});

const unused = { created_at: '2026-01-01T00:00:00Z' };
const shownNames = () =>
  screen
    .getAllByRole('row')
    .slice(1)
    .map((it) => within(it).getByRole('link').textContent);
const LATER = new Date(Date.now() + 3_600_000).toISOString();

test('keys to look at are flagged, and the address says which are listed', async () => {
  keys = [key({ id: 'a', name: 'forgotten', ...unused }), key({ id: 'b', name: 'busy', ...unused }), key({ id: 'c', name: 'turning', previous_expires_at: LATER }), key({ id: 'd', name: 'ending', expires_at: LATER })];
  answer('get', '/projects/{project_id}/monitoring/keys', () => json({ items: ['b', 'c', 'd'].map((id) => ({ key_id: id, requests: 12_000, errors: 2, refused: 1, last_used_at: new Date().toISOString() })) }));
  const { user, router } = visit(PAGE);
  const table = within(await screen.findByRole('table', { name: 'API keys' }));
  expect(await within(table.getByRole('row', { name: /forgotten/ })).findByText('Unused')).toBeInTheDocument();
  expect(within(table.getByRole('row', { name: /busy/ })).getByText('12K requests in 30 days')).toBeInTheDocument();
  for (const [label, flag, name] of [
    ['Unused', 'unused', 'forgotten'],
    ['Expires soon', 'expiring', 'ending'],
    ['Old secret good', 'rotated', 'turning'],
  ] as const) {
    await user.click(screen.getByRole('radio', { name: label }));
    await waitFor(() => expect(shownNames()).toEqual([name]));
    expect(router.state.location.search).toEqual({ flag });
  }
});

test('where telemetry is away no key is called unused', async () => {
  keys = [key({ name: 'forgotten', ...unused })];
  answer('get', '/projects/{project_id}/monitoring/keys', () => problem(503, 'Telemetry unavailable', 'try again'));
  visit(PAGE);
  const row = within(await screen.findByRole('row', { name: /forgotten/ }));
  expect(await row.findByTitle('Not known at the moment')).toBeInTheDocument();
  expect(row.queryByText('Unused')).not.toBeInTheDocument();
});

test('a key has a page with what it did', async () => {
  keys = [key({ id: 'a', name: 'checkout', previous_expires_at: LATER, old_secret_used_at: new Date().toISOString() })];
  answer('get', '/projects/{project_id}/keys/{id}/addresses', () => json({ items: [{ address: '198.51.100.7', last_used_at: '2026-11-22T10:00:00Z' }] }));
  const use = { key_id: 'a', requests: 1234, errors: 7, refused: 5, last_used_at: '2026-11-22T10:00:00Z' };
  const asked = vi.fn();
  answer('get', '/projects/{project_id}/keys/{id}/monitoring', ({ request }) => {
    asked(new URL(request.url).search);
    return json({ from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z', step_s: 86_400, points: [{ time: '2026-11-22T00:00:00Z', requests: 1234, errors: 7, refused: 5 }], use });
  });
  const { user } = visit(`${PAGE}/a`);
  expect(await screen.findByRole('heading', { level: 1, name: 'checkout' })).toBeInTheDocument();
  expect(await screen.findByText('1,234')).toBeInTheDocument();
  expect(await screen.findByText('198.51.100.7')).toBeInTheDocument();
  expect(screen.getByText(/; last used/)).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'View Calls per day as table' }));
  expect(within(screen.getByRole('table', { name: 'Calls per day' })).getByRole('row', { name: '22 Nov 1.2K 7 5' })).toBeInTheDocument();
  await user.click(screen.getByRole('radio', { name: '7d' }));
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith('?days=7'));
});

test('a key is made for a service account', async () => {
  const asked = vi.fn();
  answer('get', '/organizations/{organization_id}/service-accounts', () => page([{ id: 'm', name: 'pipeline', role: 'developer', created_at: '2026-11-20T09:30:00Z', disabled_at: null, project_roles: 0, keys: 0 }]));
  answer('post', '/projects/{project_id}/keys', async ({ request }) => {
    asked(await request.json());
    return json({ key: key(), secret: SECRET }, 201);
  });
  const { user } = visit(PAGE);
  await user.click((await screen.findAllByRole('button', { name: 'Create key' }))[0]!);
  const form = within(await screen.findByRole('dialog'));
  await user.type(form.getByLabelText('Name'), 'nightly');
  await form.findByRole('option', { name: 'pipeline, developer' });
  await user.selectOptions(form.getByLabelText('Acts for'), 'm');
  await user.click(form.getByRole('button', { name: 'Create key' }));
  await waitFor(() => expect(asked).toHaveBeenCalledWith(expect.objectContaining({ name: 'nightly', owner_id: 'm' })));
});

test('administrators see the keys of all projects', async () => {
  answer('get', '/organizations/{organization_id}/keys', () =>
    page([
      { project_id: 'p', project_name: 'Fraud', project_slug: 'fraud', key: key({ id: 'a', name: 'checkout', owner: 'Ada' }) },
      { project_id: 'q', project_name: 'Churn', project_slug: 'churn', key: key({ id: 'b', name: 'nightly', owner: 'pipeline' }) },
    ]),
  );
  answer('get', '/organizations/{organization_id}/monitoring/keys', () => json({ items: [] }));
  const { user, router } = visit('/o/analytical/settings/keys');
  const table = within(await screen.findByRole('table', { name: 'API keys of the organization' }));
  expect(table.getByRole('link', { name: 'checkout' })).toHaveAttribute('href', '/o/analytical/p/fraud/keys/a');
  await user.type(screen.getByRole('searchbox', { name: 'Search keys' }), 'pipeline');
  await waitFor(() => expect(screen.queryByRole('link', { name: 'checkout' })).not.toBeInTheDocument());
  expect(screen.getByRole('link', { name: 'nightly' })).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ q: 'pipeline' });
});
