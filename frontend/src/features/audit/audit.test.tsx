import { screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';

import { auditEntry, me, project } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

test('an administrator finds the log by the sidebar, and sees who changed what', async () => {
  answer('get', '/organizations/{organization_id}/audit', () => page([auditEntry()]));
  const { user } = visit('/o/analytical');
  await user.click(await screen.findByRole('link', { name: 'Audit log' }));
  const table = await screen.findByRole('table', { name: 'Audit log' });
  expect(within(table).getByText('ada@example.com')).toBeInTheDocument();
  expect(within(table).getByText('key.update')).toBeInTheDocument();
  await user.click(within(table).getByRole('button', { name: 'Details of key.update payments' }));
  expect(within(table).getByRole('row', { name: 'name checkout payments' })).toBeInTheDocument();
  expect(within(table).queryByRole('row', { name: /^key_id/ })).not.toBeInTheDocument();
});

test('filters stand in the address, and go to the server and into the exports', async () => {
  const asked: URLSearchParams[] = [];
  answer('get', '/organizations/{organization_id}/audit', ({ request }) => {
    asked.push(new URL(request.url).searchParams);
    return page([]);
  });
  const { user, router } = visit('/o/analytical/audit?from=2026-11-20&to=nonsense');
  expect(await screen.findByText('No entries')).toBeInTheDocument();
  await user.type(screen.getByLabelText('Action'), 'key');
  await user.click(screen.getByRole('button', { name: 'Filter' }));
  await waitFor(() => expect(router.state.location.search).toEqual({ action: 'key', from: '2026-11-20' }));
  await waitFor(() => expect(asked.at(-1)?.get('action')).toBe('key'));
  expect(asked.at(-1)?.get('from')).toBe(new Date('2026-11-20T00:00:00').toISOString());
  expect(asked.at(-1)?.has('to')).toBe(false);
  expect(screen.getByRole('link', { name: 'Export as CSV' })).toHaveAttribute('href', expect.stringMatching(/audit\/export\?action=key&from=.*&format=csv$/));
});

test('whoever may not read the log is told so, and has no link to it', async () => {
  answer('get', '/me', () => json(me({ organizations: [{ id: '019aa000-0000-7000-8000-000000000002', name: 'Analytical Engines', slug: 'analytical', role: 'developer' }] })));
  answer('get', '/organizations/{organization_id}/audit', () => problem(403, 'Forbidden', 'this needs the role admin; yours is developer'));
  visit('/o/analytical/audit');
  expect(await screen.findByText(/admins and owners read the log/)).toBeInTheDocument();
  expect(screen.queryByRole('link', { name: 'Audit log' })).not.toBeInTheDocument();
});

test('a link leads to one entry, wherever in the log it stands', async () => {
  answer('get', '/organizations/{organization_id}/audit', () => page([auditEntry()]));
  answer('get', '/organizations/{organization_id}/audit/{number}', ({ params }) =>
    params.number === '3' ? json({ ...auditEntry(), number: 3, action: 'member.remove', target_name: 'grace@example.com' }) : problem(404, 'Audit entry not found', 'no audit entry 7 in this organization'),
  );
  const { user, router } = visit('/o/analytical/audit?entry=3');
  expect(await screen.findByRole('heading', { name: 'Entry 3' })).toBeInTheDocument();
  expect(await screen.findByText('member.remove')).toBeInTheDocument();
  await user.click(screen.getByRole('link', { name: 'Close' }));
  await waitFor(() => expect(router.state.location.search).toEqual({}));
  await user.click(await screen.findByRole('button', { name: /^Details of/ }));
  await user.click(screen.getByRole('link', { name: 'Link to this entry' }));
  await waitFor(() => expect(router.state.location.search).toEqual({ entry: auditEntry().number }));
  expect(await screen.findByText(/no audit entry/)).toBeInTheDocument();
});

test('the log of one project is a filter like the others', async () => {
  const asked: URLSearchParams[] = [];
  answer('get', '/organizations/{organization_id}/audit', ({ request }) => {
    asked.push(new URL(request.url).searchParams);
    return page([]);
  });
  const { user, router } = visit('/o/analytical/audit');
  const wanted = await screen.findByRole('option', { name: 'Default' });
  await user.selectOptions(screen.getByLabelText('Project'), wanted);
  await user.click(screen.getByRole('button', { name: 'Filter' }));
  await waitFor(() => expect(asked.at(-1)?.get('project_id')).toBe(project().id));
  expect(router.state.location.search).toEqual({ project: project().id });
});
