import { screen, waitFor, within } from '@testing-library/react';
import { expect, test } from 'vitest';

import { auditEntry, me } from '@/test/factories';
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
  expect(await screen.findByText(/needs the role admin/)).toBeInTheDocument();
  expect(screen.queryByRole('link', { name: 'Audit log' })).not.toBeInTheDocument();
});
