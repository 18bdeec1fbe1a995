import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import type { ServiceAccount } from '@/api/types';
import { me } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

const PAGE = '/o/analytical/settings/service-accounts';
const pipeline: ServiceAccount = { id: 'm', name: 'pipeline', role: 'developer', created_at: '2026-11-20T09:30:00Z', disabled_at: null, project_roles: 1, keys: 2 };

let accounts: ServiceAccount[];

beforeEach(() => {
  accounts = [pipeline];
  answer('get', '/organizations/{organization_id}/service-accounts', () => page(accounts));
});

test('a service account is made, and a taken name is said', async () => {
  accounts = [];
  answer('post', '/organizations/{organization_id}/service-accounts', () => problem(409, 'Name taken', 'there is a service account named "pipeline" already'));
  const { user } = visit(PAGE);
  await user.click((await screen.findAllByRole('button', { name: 'New service account' }))[0]!);
  const form = within(await screen.findByRole('dialog'));
  await user.type(form.getByLabelText('Name'), 'pipeline');
  await user.click(form.getByRole('button', { name: 'Create service account' }));
  expect(await form.findByText(/named "pipeline" already/)).toBeInTheDocument();
  answer('post', '/organizations/{organization_id}/service-accounts', () => {
    accounts = [pipeline];
    return json(pipeline, 201);
  });
  await user.click(form.getByRole('button', { name: 'Create service account' }));
  expect(await screen.findByRole('row', { name: /pipeline/ })).toBeInTheDocument();
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
});

test('it is disabled, renamed, given another role and deleted', async () => {
  const asked = vi.fn();
  answer('patch', '/organizations/{organization_id}/service-accounts/{id}', async ({ request }) => {
    asked(await request.json());
    accounts = [{ ...pipeline, disabled_at: '2026-11-21T09:30:00Z' }];
    return json(pipeline);
  });
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Disable pipeline' }));
  expect(await screen.findByText('Disabled')).toBeInTheDocument();
  expect(asked).toHaveBeenLastCalledWith({ is_disabled: true });
  await user.selectOptions(screen.getByRole('combobox', { name: 'Role of pipeline' }), 'viewer');
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith({ role: 'viewer' }));
  await user.click(screen.getByRole('button', { name: 'Rename pipeline' }));
  const form = within(await screen.findByRole('dialog'));
  await user.type(form.getByLabelText('Name'), '-2');
  await user.click(form.getByRole('button', { name: 'Rename' }));
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith({ name: 'pipeline-2' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());

  const deleted = vi.fn();
  answer('delete', '/organizations/{organization_id}/service-accounts/{id}', ({ params }) => {
    deleted(params.id);
    accounts = [];
    return new Response(null, { status: 204 });
  });
  await user.click(screen.getByRole('button', { name: 'Delete pipeline' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByText(/Its 2 keys are revoked/)).toBeInTheDocument();
  await user.type(dialog.getByRole('textbox'), 'pipeline');
  await user.click(dialog.getByRole('button', { name: 'Delete service account' }));
  expect(await screen.findByText('No service accounts yet')).toBeInTheDocument();
  expect(deleted).toHaveBeenCalledExactlyOnceWith('m');
});

test('whoever does not administer the organization reads the list', async () => {
  answer('get', '/me', () => json(me({ organizations: me().organizations.map((it) => Object.assign(it, { role: 'viewer' })) })));
  visit(PAGE);
  expect(await screen.findByRole('row', { name: /pipeline/ })).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: /pipeline/ })).not.toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'New service account' })).not.toBeInTheDocument();
});
