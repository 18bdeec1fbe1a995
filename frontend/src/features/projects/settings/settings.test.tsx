import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import type { Project, ProjectMember } from '@/api/types';
import { project } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

const PAGE = '/o/analytical/p/default/settings';
const ada: ProjectMember = { user_id: 'a', name: 'Ada Lovelace', email: 'ada@example.com', organization_role: 'owner', project_role: null, role: 'owner' };
const grace: ProjectMember = { user_id: 'g', name: 'Grace Hopper', email: 'grace@example.com', organization_role: 'viewer', project_role: 'developer', role: 'developer' };
const robot: ProjectMember = { user_id: 'r', name: 'pipeline', email: null, organization_role: 'viewer', project_role: null, role: 'viewer' };

let shown: Project;

beforeEach(() => {
  shown = project({ tags: ['fraud'] });
  answer('get', '/lookup', () => json(shown));
  answer('get', '/projects/{project_id}/members', () => page([ada, grace, robot]));
});

test('name, description and tags are changed together', async () => {
  const asked = vi.fn();
  answer('patch', '/projects/{project_id}', async ({ request }) => {
    asked(await request.json());
    return json(shown);
  });
  const { user } = visit(PAGE);
  const tags = await screen.findByLabelText('Tags');
  expect(tags).toHaveValue('fraud');
  await user.type(tags, ', Täg');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/No tag: täg/)).toBeInTheDocument();
  await user.clear(tags);
  await user.type(tags, 'Fraud stage:production fraud');
  await user.type(screen.getByLabelText('Description'), 'Card payments');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(asked).toHaveBeenCalledExactlyOnceWith({ name: 'Default', description: 'Card payments', tags: ['fraud', 'stage:production'] }));
});

test('a taken name is said at the form', async () => {
  answer('patch', '/projects/{project_id}', () => problem(409, 'Project name taken', 'there is a project named "Fraud" already'));
  const { user } = visit(PAGE);
  await user.type(await screen.findByLabelText('Name'), '2');
  await user.click(screen.getByRole('button', { name: 'Save' }));
  expect(await screen.findByText(/a project named "Fraud" already/)).toBeInTheDocument();
});

test('a project is made private', async () => {
  const asked = vi.fn();
  answer('put', '/projects/{project_id}/visibility', async ({ request }) => {
    asked(await request.json());
    shown = project({ visibility: 'private' });
    return json(shown);
  });
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('radio', { name: 'Its members' }));
  await waitFor(() => expect(screen.getByRole('radio', { name: 'Its members' })).toBeChecked());
  expect(asked).toHaveBeenCalledWith({ visibility: 'private' });
});

test('a role in the project is given, changed and taken back', async () => {
  const asked = vi.fn();
  answer('put', '/projects/{project_id}/members/{user_id}', async ({ request, params }) => {
    asked(params.user_id, await request.json());
    return json(grace);
  });
  answer('delete', '/projects/{project_id}/members/{user_id}', ({ params }) => {
    asked(params.user_id, null);
    return new Response(null, { status: 204 });
  });
  const { user } = visit(PAGE);
  const role = await screen.findByRole('combobox', { name: 'Role of Grace Hopper here' });
  expect(role).toHaveValue('developer');
  await user.selectOptions(role, 'admin');
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith('g', { role: 'admin' }));
  await user.selectOptions(screen.getByRole('combobox', { name: 'Role of Grace Hopper here' }), 'inherited');
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith('g', null));
  expect(screen.queryByRole('combobox', { name: 'Role of Ada Lovelace here' })).not.toBeInTheDocument();

  answer('get', '/organizations/{organization_id}/members', () => page([{ user_id: 'm', name: 'Mary', email: 'mary@example.com', role: 'viewer', joined_at: '2026-11-20T09:30:00Z', project_roles: 0 }]));
  await user.click(screen.getByRole('button', { name: 'Add a member' }));
  const dialog = within(await screen.findByRole('dialog'));
  await dialog.findByRole('option', { name: 'Mary (mary@example.com)' });
  await user.selectOptions(dialog.getByLabelText('Person'), 'm');
  await user.click(dialog.getByRole('button', { name: 'Add member' }));
  await waitFor(() => expect(asked).toHaveBeenLastCalledWith('m', { role: 'developer' }));
});

test('a project is archived and taken out again', async () => {
  answer('post', '/projects/{project_id}/archive', () => {
    shown = project({ archived_at: '2026-11-20T09:30:00Z' });
    return json(shown);
  });
  answer('post', '/projects/{project_id}/unarchive', () => {
    shown = project();
    return json(shown);
  });
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Archive' }));
  expect(await screen.findByText(/This project is archived: its deployments/)).toBeInTheDocument();
  expect(screen.getByLabelText('Name')).toHaveAttribute('readonly');
  await user.click(screen.getByRole('button', { name: 'Take out' }));
  await waitFor(() => expect(screen.queryByText(/This project is archived: its deployments/)).not.toBeInTheDocument());
});

test('a project is deleted once its name was typed, and the list is shown', async () => {
  const deleted = vi.fn();
  answer('delete', '/projects/{project_id}', ({ params }) => {
    deleted(params.project_id);
    return new Response(null, { status: 204 });
  });
  const { user, router } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Delete…' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.type(dialog.getByRole('textbox'), 'Default');
  await user.click(dialog.getByRole('button', { name: 'Delete project' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical'));
  expect(deleted).toHaveBeenCalledExactlyOnceWith(project().id);
});

test('whoever may not change it reads it', async () => {
  shown = project({ role: 'viewer' });
  visit(PAGE);
  expect(await screen.findByLabelText('Name')).toBeInTheDocument();
  await waitFor(() => expect(screen.getByLabelText('Name')).toHaveAttribute('readonly'));
  expect(screen.getByRole('button', { name: 'Delete…' })).toHaveAttribute('aria-disabled', 'true');
  expect(screen.getByRole('radio', { name: 'Its members' })).toBeDisabled();
  expect(within(await screen.findByRole('table', { name: 'Members of the project' })).queryByRole('combobox')).not.toBeInTheDocument();
});
