import { screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';

import { deployment, key, project } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

import { parseFilters } from './search';

afterEach(() => sessionStorage.clear());

const totals = (requests: number) => ({ requests, errors: 0, server_errors: 0, rows: requests, p50_us: 900, p95_us: 2100, p99_us: 4000 });

function traffic(requests: number) {
  answer('get', '/projects/{project_id}/deployments/{deployment_id}/monitoring/requests', () =>
    json({ from: '2026-11-22T09:00:00Z', to: '2026-11-22T10:00:00Z', step_s: 60, points: [], totals: totals(requests) }),
  );
}

test('a project is made step by step, and nothing that was said is lost on the way', async () => {
  const asked = vi.fn();
  const given = vi.fn();
  answer('get', '/organizations/{organization_id}/members', () => page([{ user_id: 'g', name: 'Grace', email: 'grace@example.com', role: 'viewer', joined_at: '2026-11-20T09:30:00Z', project_roles: 0 }]));
  answer('post', '/organizations/{organization_id}/projects', async ({ request }) => {
    asked(await request.json());
    return json(project({ id: 'new', name: 'Fraud', slug: 'fraud' }), 201);
  });
  answer('put', '/projects/{project_id}/members/{user_id}', async ({ request, params }) => {
    given(params.user_id, await request.json());
    return json({});
  });
  const { user, router } = visit('/o/analytical');
  await user.click(await screen.findByRole('link', { name: 'New project' }));
  await user.click(await screen.findByRole('button', { name: 'Next' }));
  expect(await screen.findByText('Give the project a name.')).toBeInTheDocument();
  await user.type(screen.getByLabelText('Name'), 'Fraud Cards');
  expect(screen.getByText('/o/analytical/p/fraud-cards')).toBeInTheDocument();
  await user.type(screen.getByLabelText('Description'), 'Card payments');
  await user.type(screen.getByLabelText('Tags'), 'team-risk');
  await user.click(screen.getByRole('button', { name: 'Next' }));
  await user.click(await screen.findByRole('radio', { name: 'Its members' }));
  await user.selectOptions(screen.getByLabelText('Person'), await screen.findByRole('option', { name: 'Grace (grace@example.com)' }));
  await user.click(screen.getByRole('button', { name: 'Add' }));
  await user.click(screen.getByRole('button', { name: 'Next' }));
  expect(router.state.location.search).toEqual({ step: 'review' });
  router.history.back();
  expect(await screen.findByRole('radio', { name: 'Its members' })).toBeChecked();
  await user.click(screen.getByRole('button', { name: 'Next' }));
  answer('get', '/lookup', () => json(project({ id: 'new', name: 'Fraud', slug: 'fraud' })));
  answer('get', '/projects/{project_id}/keys', () => page([]));
  answer('get', '/projects/{project_id}/deployments', () => page([]));
  await user.click(await screen.findByRole('button', { name: 'Create project' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'Fraud' })).toBeInTheDocument();
  expect(router.state.location.pathname).toBe('/o/analytical/p/fraud');
  expect(asked).toHaveBeenCalledExactlyOnceWith({ name: 'Fraud Cards', description: 'Card payments', tags: ['team-risk'], visibility: 'private' });
  expect(given).toHaveBeenCalledExactlyOnceWith('g', { role: 'developer' });
  expect(sessionStorage.getItem(`headrace.new-project.${project().organization_id}`)).toBeNull();
});

test('a taken name is said at the end, with a way to mend it, and a reload finds the draft', async () => {
  sessionStorage.setItem(`headrace.new-project.${project().organization_id}`, JSON.stringify({ name: 'Default' }));
  answer('post', '/organizations/{organization_id}/projects', () => problem(409, 'Project name taken', 'there is a project named "Default" already'));
  const { user } = visit('/o/analytical/new-project?step=review');
  await user.click(await screen.findByRole('button', { name: 'Create project' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('there is a project named "Default" already');
  await user.click(screen.getByRole('button', { name: 'Mend it' }));
  expect(await screen.findByLabelText('Name')).toHaveValue('Default');
});

test('the switcher leads to another project', async () => {
  answer('get', '/organizations/{organization_id}/projects', () => page([project(), project({ id: 'b', name: 'Fraud', slug: 'fraud' })]));
  answer('get', '/projects/{project_id}/keys', () => page([]));
  answer('get', '/projects/{project_id}/deployments', () => page([]));
  const { user, router } = visit('/o/analytical/p/default');
  await user.click(await screen.findByRole('button', { name: 'Switch project or organization, now Default' }));
  await user.click(await screen.findByRole('menuitemradio', { name: 'Fraud' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical/p/fraud'));
});

test('the next steps follow what exists', async () => {
  answer('get', '/lookup', () => json(project({ models: 1 })));
  answer('get', '/projects/{project_id}/keys', () => page([key()]));
  answer('get', '/projects/{project_id}/deployments', () => page([]));
  visit('/o/analytical/p/default');
  const steps = within(await screen.findByRole('list', { name: 'Next steps' }));
  expect(steps.getAllByLabelText('Done')).toHaveLength(2);
  expect(steps.getByRole('listitem', { current: 'step' })).toHaveTextContent('Deploy it');
});

test('once requests arrive the steps give way to the deployments and their traffic', async () => {
  answer('get', '/lookup', () => json(project({ models: 1, deployments: 1 })));
  answer('get', '/projects/{project_id}/keys', () => page([key()]));
  answer('get', '/projects/{project_id}/deployments', () => page([deployment()]));
  traffic(12_345);
  visit('/o/analytical/p/default');
  const row = within(await screen.findByRole('row', { name: /credit/ }));
  expect(row.getByText('Ready')).toBeInTheDocument();
  expect(await row.findByText('12.3K')).toBeInTheDocument();
  expect(row.getByText('2.1 ms')).toBeInTheDocument();
  expect(screen.queryByRole('heading', { name: 'Next steps' })).not.toBeInTheDocument();
});

test('a project that does not exist is not found, inside the shell', async () => {
  answer('get', '/lookup', () => problem(404, 'Project not found', 'no such project'));
  visit('/o/analytical/p/nothing');
  expect(await screen.findByRole('heading', { name: 'There is nothing here' })).toBeInTheDocument();
  expect(screen.getByRole('navigation', { name: 'Main' })).toBeInTheDocument();
});

test('an organization of others is not found, inside the shell', async () => {
  visit('/o/somebody-else');
  expect(await screen.findByRole('heading', { name: 'There is nothing here' })).toBeInTheDocument();
  expect(screen.getByRole('navigation', { name: 'Main' })).toBeInTheDocument();
});

test('a search stands in the address and is asked of the server', async () => {
  answer('get', '/organizations/{organization_id}/projects', ({ request }) => {
    const q = new URL(request.url).searchParams.get('q') ?? '';
    return page(q === 'nothing' ? [] : q === 'fra' ? [project({ name: 'Fraud', slug: 'fraud' })] : [project()]);
  });
  const { user, router } = visit('/o/analytical?q=fra');
  expect(await screen.findByRole('heading', { level: 2, name: 'Fraud' })).toBeInTheDocument();
  const box = screen.getByRole('searchbox', { name: 'Search projects' });
  expect(box).toHaveValue('fra');
  await user.clear(box);
  await user.type(box, 'nothing');
  expect(await screen.findByRole('heading', { name: 'No project matches' })).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ q: 'nothing' });
});

test('the list is narrowed by words, state and tags, all of them in the address', async () => {
  const asked = vi.fn();
  answer('get', '/organizations/{organization_id}/projects', ({ request }) => {
    asked(new URL(request.url).search);
    return page([project({ tags: ['fraud'], versions: 3, models: 2 })]);
  });
  const { user, router } = visit('/o/analytical');
  await user.click(await screen.findByRole('link', { name: 'Projects with the tag fraud' }));
  await user.click(await screen.findByRole('radio', { name: 'Archived' }));
  await user.type(screen.getByRole('searchbox', { name: 'Search projects' }), 'pay');
  await waitFor(() => expect(router.state.location.search).toEqual({ q: 'pay', state: 'archived', tag: ['fraud'] }));
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith('?q=pay&state=archived&tag=fraud'));
  await user.click(screen.getByRole('button', { name: 'Remove the tag fraud' }));
  await waitFor(() => expect(router.state.location.search).toEqual({ q: 'pay', state: 'archived' }));
});

test('an address that makes no sense asks for everything', () => {
  expect(parseFilters({ q: 7, state: 'gone', tag: ['Ä', 'fraud', 4] })).toEqual({ q: undefined, state: undefined, tag: ['fraud'] });
});

test('cards tell how much is in a project and how much it is used, in one question', async () => {
  const asked = vi.fn();
  answer('get', '/organizations/{organization_id}/projects', () => page([project({ id: 'a', models: 2, versions: 3 }), project({ id: 'b', slug: 'b', name: 'Quiet' })]));
  answer('get', '/organizations/{organization_id}/monitoring/projects', ({ request }) => {
    asked(new URL(request.url).searchParams.getAll('project_id'));
    return json({ items: [{ project_id: 'a', requests: 12_000, errors: 120 }] });
  });
  visit('/o/analytical');
  expect(await screen.findByText('12K requests a day, 1% errors')).toBeInTheDocument();
  expect(screen.getByText('2 models, 3 versions')).toBeInTheDocument();
  expect(screen.getByText('0 requests a day')).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith(['a', 'b']);
});

test('where telemetry is away the list is shown without its numbers', async () => {
  answer('get', '/organizations/{organization_id}/projects', () => page([project()]));
  answer('get', '/organizations/{organization_id}/monitoring/projects', () => problem(503, 'Telemetry unavailable', 'try again'));
  visit('/o/analytical');
  expect(await screen.findByText(/is not known at the moment/)).toBeInTheDocument();
  expect(screen.getByRole('link', { name: 'Default' })).toBeInTheDocument();
});

test('a deleted project is brought back', async () => {
  const restored = vi.fn();
  answer('get', '/organizations/{organization_id}/projects', () => page([project({ deleted_at: '2026-11-20T09:30:00Z' })]));
  answer('post', '/projects/{project_id}/restore', ({ params }) => {
    restored(params.project_id);
    return json(project());
  });
  const { user } = visit('/o/analytical?state=deleted');
  await user.click(await screen.findByRole('button', { name: 'Restore Default' }));
  await waitFor(() => expect(restored).toHaveBeenCalledExactlyOnceWith(project().id));
  expect(screen.queryByRole('link', { name: 'Default' })).not.toBeInTheDocument();
});
