import { screen, waitFor } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import { key, me } from '@/test/factories';
import { answer, json, page, problem, server } from '@/test/server';
import { visit } from '@/test/visit';

beforeEach(() => {
  answer('get', '/projects/{project_id}/keys', () => page([]));
  answer('get', '/projects/{project_id}/deployments', () => page([]));
});

test('the sidebar leads to every part of a project', async () => {
  const { user, router } = visit('/o/analytical/p/default');
  await user.click(await screen.findByRole('link', { name: 'API keys' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'API keys' })).toBeInTheDocument();
  expect(router.state.location.pathname).toBe('/o/analytical/p/default/keys');
  expect(document.title).toBe('API keys · Default · Headrace');
});

test('an expired session is renewed once, unseen, however many requests find it expired', async () => {
  let renewed = 0;
  answer('get', '/me', () => (renewed ? json(me()) : problem(401, 'Not signed in', 'the session has expired')));
  answer('post', '/auth/refresh', () => {
    renewed += 1;
    return json({ csrf_token: 'csrf-2' });
  });
  const { router } = visit('/o/analytical/p/default/keys');
  expect(await screen.findByRole('heading', { level: 1, name: 'API keys' })).toBeInTheDocument();
  expect(renewed).toBe(1);
  expect(router.state.location.pathname).toBe('/o/analytical/p/default/keys');
});

test('without a session the reader signs in and comes back', async () => {
  answer('get', '/me', () => problem(401, 'Not signed in', 'no session'));
  answer('post', '/auth/refresh', () => problem(401, 'Not signed in', 'no session'));
  const { router } = visit('/o/analytical/p/default/keys');
  await waitFor(() => expect(router.state.location.pathname).toBe('/login'));
  expect(router.state.location.search).toEqual({ next: '/o/analytical/p/default/keys' });
});

test('whoever comes to the front door is not told that they were elsewhere', async () => {
  answer('get', '/me', () => problem(401, 'Not signed in', 'no session'));
  answer('post', '/auth/refresh', () => problem(401, 'Not signed in', 'no session'));
  const { router } = visit('/');
  expect(await screen.findByText('Welcome back.')).toBeInTheDocument();
  expect(router.state.location.href).toBe('/login');
});

test('a server that stops answering is announced, and what is on the page stays', async () => {
  visit('/o/analytical/p/default/keys');
  expect(await screen.findByText('No keys yet')).toBeInTheDocument();
  server.use(http.get('http://localhost:8080/health/live', () => HttpResponse.error()));
  window.dispatchEvent(new Event('offline'));
  expect(await screen.findByText(/Headrace has not answered since/)).toBeInTheDocument();
  expect(screen.getByText('No keys yet')).toBeInTheDocument();

  server.resetHandlers();
  answer('get', '/projects/{project_id}/keys', () => page([key()]));
  window.dispatchEvent(new Event('online'));
  await waitFor(() => expect(screen.queryByText(/Headrace has not answered since/)).not.toBeInTheDocument());
  expect(await screen.findByRole('cell', { name: /checkout service/ })).toBeInTheDocument();
});
