import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import type { OrganizationSettings, SettingsPatch } from '@/api/types';
import { me } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

import { dailySeries } from './dailySeries';

const SETTINGS = '/o/analytical/settings';
const [ANALYTICAL] = me().organizations;
if (!ANALYTICAL) throw new Error('no organization');
const DEFAULTS: OrganizationSettings = { default_role: 'developer', email_domains: [], log_retention_days: null, alert_emails: [], slack_webhook: null };

const partOf = (title: string) => within(screen.getByRole('heading', { name: title }).closest('section')!);

beforeEach(() => {
  answer('get', '/me/deleted-organizations', () => json({ items: [] }));
});

test('an organization is renamed, and its page follows its address', async () => {
  const asked = vi.fn();
  answer('patch', '/organizations/{organization_id}', async ({ request }) => {
    asked(await request.json());
    answer('get', '/me', () => json(me({ organizations: [{ ...ANALYTICAL, slug: 'engines' }] })));
    return json({ ...ANALYTICAL, slug: 'engines' });
  });
  const { user, router } = visit(`${SETTINGS}/general`);
  const slug = await screen.findByLabelText('Address');
  await user.clear(slug);
  await user.type(slug, 'Bad One');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText('Use small letters, digits and single hyphens.')).toBeInTheDocument();
  await user.clear(slug);
  await user.type(slug, 'engines');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/engines/settings/general'));
  expect(asked).toHaveBeenCalledWith({ name: 'Analytical Engines', slug: 'engines' });
});

test('a taken address is said at the form', async () => {
  answer('patch', '/organizations/{organization_id}', () => problem(409, 'Address taken', 'another organization has the address'));
  const { user } = visit(`${SETTINGS}/general`);
  await user.type(await screen.findByLabelText('Address'), '-2');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/another organization has the address/)).toBeInTheDocument();
});

test('whoever does not administer it reads its name, and may leave alone', async () => {
  answer('get', '/me', () => json(me({ organizations: [{ ...ANALYTICAL, role: 'viewer' }] })));
  visit(`${SETTINGS}/general`);
  expect(await screen.findByLabelText('Name')).toHaveAttribute('readonly');
  expect(screen.queryByRole('button', { name: 'Save' })).not.toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Leave' })).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Delete…' })).not.toBeInTheDocument();
  expect(screen.queryByRole('link', { name: 'Policies' })).not.toBeInTheDocument();
});

test('policies are for administrators', async () => {
  answer('get', '/me', () => json(me({ organizations: [{ ...ANALYTICAL, role: 'viewer' }] })));
  visit(`${SETTINGS}/policies`);
  expect(await screen.findByText(/Your role in Analytical Engines is viewer/)).toBeInTheDocument();
});

test('an organization is deleted once its name was typed, and restored from the list', async () => {
  const restored = vi.fn();
  answer('delete', '/organizations/{organization_id}', () => {
    answer('get', '/me', () => json(me({ organizations: [] })));
    answer('get', '/me/deleted-organizations', () =>
      json({ items: [{ id: ANALYTICAL.id, name: ANALYTICAL.name, slug: 'analytical', deleted_at: '2026-11-20T09:30:00Z', removed_at: '2026-11-27T09:30:00Z' }] }),
    );
    return new Response(null, { status: 204 });
  });
  answer('post', '/me/deleted-organizations/{deleted_id}/restore', ({ params }) => {
    restored(params.deleted_id);
    answer('get', '/me', () => json(me()));
    answer('get', '/me/deleted-organizations', () => json({ items: [] }));
    return json(ANALYTICAL);
  });
  const { user, router } = visit(`${SETTINGS}/general`);
  await user.click(await screen.findByRole('button', { name: 'Delete…' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByRole('button', { name: 'Delete organization' })).toBeDisabled();
  await user.type(dialog.getByRole('textbox'), 'Analytical Engines');
  await user.click(dialog.getByRole('button', { name: 'Delete organization' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/organizations'));
  await user.click(await screen.findByRole('button', { name: 'Restore Analytical Engines' }));
  expect(await screen.findByRole('link', { name: 'Analytical Engines' })).toBeInTheDocument();
  expect(restored).toHaveBeenCalledWith(ANALYTICAL.id);
});

test('it is handed over to another member', async () => {
  const asked = vi.fn();
  const person = { user_id: 'g', email: 'grace@example.com', name: 'Grace Hopper', role: 'admin', joined_at: '2026-11-20T09:30:00Z', project_roles: 0 };
  answer('get', '/organizations/{organization_id}/members', () => page([{ ...person, user_id: me().user.id, name: 'Ada Lovelace' }, person]));
  answer('post', '/organizations/{organization_id}/transfer', async ({ request }) => {
    asked(await request.json());
    return json({ ...ANALYTICAL, role: 'admin' });
  });
  const { user } = visit(`${SETTINGS}/general`);
  await user.click(await screen.findByRole('button', { name: 'Hand over…' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.selectOptions(await dialog.findByLabelText('New owner'), 'g');
  expect(dialog.queryByRole('option', { name: /Ada/ })).not.toBeInTheDocument();
  await user.type(dialog.getByLabelText(/^Type/), 'Analytical Engines');
  await user.type(dialog.getByLabelText('Find a member'), 'g');
  expect(dialog.getByRole('button', { name: 'Hand over' })).toBeDisabled();
  await user.selectOptions(await dialog.findByLabelText('New owner'), 'g');
  await user.click(dialog.getByRole('button', { name: 'Hand over' }));
  await waitFor(() => expect(asked).toHaveBeenCalledWith({ user_id: 'g' }));
});

test('policies are changed a part at a time', async () => {
  const settings = { ...DEFAULTS };
  const asked = vi.fn();
  answer('get', '/organizations/{organization_id}/settings', () => json(settings));
  answer('patch', '/organizations/{organization_id}/settings', async ({ request }) => {
    const change: SettingsPatch = JSON.parse(await request.text());
    asked(change);
    Object.assign(settings, change, change.slack_webhook ? { slack_webhook: 'https://hooks.slack.com/…abcd' } : {});
    return json(settings);
  });
  const { user } = visit(`${SETTINGS}/policies`);
  const joining = await screen.findByRole('heading', { name: 'Joining' }).then(() => partOf('Joining'));
  await user.type(joining.getByLabelText('E-mail domains'), 'not a domain');
  await user.click(joining.getByRole('button', { name: 'Save' }));
  expect(await joining.findByText(/what stands behind the @/)).toBeInTheDocument();
  await user.clear(joining.getByLabelText('E-mail domains'));
  await user.type(joining.getByLabelText('E-mail domains'), 'Example.com; example.org');
  await user.click(joining.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith({ default_role: 'developer', email_domains: ['example.com', 'example.org'] }));

  const kept = partOf('Logged requests');
  await user.selectOptions(kept.getByLabelText('Kept for'), '7');
  await user.click(kept.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith({ log_retention_days: 7 }));

  await user.type(partOf('Alerts').getByLabelText('Slack webhook'), 'https://hooks.slack.com/services/T/B/secretabcd');
  await user.click(partOf('Alerts').getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/Now https:\/\/hooks.slack.com\/…abcd/)).toBeInTheDocument();
  expect(partOf('Alerts').getByLabelText('Slack webhook')).toHaveValue('');
});

test('usage shows what there is, even where telemetry is away', async () => {
  const usage = { members: 3, service_accounts: 1, invitations: 0, projects: 2, models: 5, model_versions: 9, deployments: 4, keys: 6, stored_bytes: 1_500_000 };
  answer('get', '/organizations/{organization_id}/usage', () => json(usage));
  answer('get', '/organizations/{organization_id}/monitoring/requests', () => problem(503, 'Telemetry unavailable', 'monitoring data cannot be read at the moment'));
  visit(`${SETTINGS}/usage`);
  expect(await screen.findByText('1.5 MB')).toBeInTheDocument();
  expect(await screen.findByText(/monitoring data cannot be read/)).toBeInTheDocument();
});

test('usage names the projects that were called', async () => {
  answer('get', '/organizations/{organization_id}/usage', () => problem(503, 'Database unavailable', 'try again'));
  answer('get', '/organizations/{organization_id}/monitoring/requests', () =>
    json({ days: [{ day: '2026-11-20T00:00:00Z', requests: 8, errors: 2 }], projects: [{ project_id: 'p', name: 'Fraud', slug: 'fraud', requests: 6, errors: 2 }, { project_id: 'q', name: 'Churn', slug: 'churn', requests: 2, errors: 0 }] }),
  );
  visit(`${SETTINGS}/usage`);
  const table = within(await screen.findByRole('table', { name: 'Requests by project' }));
  expect(table.getByRole('row', { name: 'Fraud 6 2 75%' })).toBeInTheDocument();
});

test('days without requests count zero', () => {
  const { at, series } = dailySeries({ days: [{ day: '2026-11-21T00:00:00Z', requests: 8, errors: 2 }] }, 3, new Date('2026-11-22T23:59:00Z').getTime());
  expect(at).toEqual(['2026-11-20', '2026-11-21', '2026-11-22'].map((it) => new Date(`${it}T00:00:00Z`).getTime() / 1000));
  expect(series.map(({ values }) => values)).toEqual([
    [0, 8, 0],
    [0, 2, 0],
  ]);
});

test('who belongs to no organization is told what to do', async () => {
  answer('get', '/me', () => json(me({ organizations: [] })));
  const { user } = visit('/');
  expect(await screen.findByText('You belong to no organization')).toBeInTheDocument();
  answer('post', '/organizations', () => {
    answer('get', '/me', () => json(me()));
    return json(ANALYTICAL, 201);
  });
  await user.click(screen.getByRole('button', { name: 'New organization' }));
  const dialog = within(await screen.findByRole('dialog'));
  const name = await dialog.findByLabelText('Name');
  expect(name).toHaveFocus();
  await user.type(name, 'Analytical Engines');
  await user.click(dialog.getByRole('button', { name: 'Create organization' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'Projects' })).toBeInTheDocument();
});

test('the sidebar says that the page is one of the settings', async () => {
  answer('get', '/organizations/{organization_id}/settings', () => json(DEFAULTS));
  visit(`${SETTINGS}/policies`);
  const main = within(await screen.findByRole('navigation', { name: 'Main' }));
  expect(main.getByRole('link', { name: 'Organization' })).toHaveAttribute('aria-current', 'page');
  expect(main.getByRole('link', { name: 'Members' })).not.toHaveAttribute('aria-current');
});

test('the list of deleted organizations says when it cannot be had', async () => {
  answer('get', '/me/deleted-organizations', () => problem(422, 'Not now', 'the list cannot be had'));
  visit('/organizations');
  expect(await screen.findByText('the list cannot be had')).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Analytical Engines' })).toBeInTheDocument();
});

test('the console switches between organizations', async () => {
  answer('get', '/me', () => json(me({ organizations: [ANALYTICAL, { ...ANALYTICAL, id: 'other', name: 'Difference', slug: 'difference', role: 'viewer' }] })));
  const { user, router } = visit('/o/analytical');
  await user.click(await screen.findByRole('button', { name: /Switch project or organization/ }));
  await user.click(await screen.findByRole('menuitemradio', { name: 'Difference' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/difference'));
});

test('pages of no organization lead to all of them', async () => {
  const { user, router } = visit('/organizations');
  await user.click(await screen.findByRole('button', { name: 'Choose an organization' }));
  await user.click(await screen.findByRole('menuitemradio', { name: 'Analytical Engines' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical'));
});
