import { act, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import { pollUnlessLive } from '@/api/events';
import { auditEntry, key, me } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

/** In the place of the browser's: keeps the streams that were opened, and lets a test speak on them. */
class FakeEventSource extends EventTarget {
  static readonly CLOSED = 2;
  static opened: FakeEventSource[] = [];
  readyState = 1;
  constructor(readonly url: string) {
    super();
    FakeEventSource.opened.push(this);
  }
  close() {
    this.readyState = FakeEventSource.CLOSED;
  }
  say(type: string) {
    act(() => void this.dispatchEvent(new MessageEvent('change', { data: JSON.stringify({ type, target: null }) })));
  }
}

const as = (role: 'viewer' | 'admin') => me({ organizations: me().organizations.map((it) => Object.assign(it, { role })) });

const streams = () => FakeEventSource.opened.filter((it) => it.readyState !== FakeEventSource.CLOSED);

async function openStream(): Promise<FakeEventSource> {
  await waitFor(() => expect(streams()).toHaveLength(1));
  const [stream] = streams();
  if (!stream) throw new Error('no stream');
  return stream;
}

beforeEach(() => {
  FakeEventSource.opened = [];
  vi.stubGlobal('EventSource', FakeEventSource);
  answer('get', '/projects/{project_id}/keys', () => page([]));
});

test('what others change is on the page at once', async () => {
  visit('/o/analytical/p/default/keys');
  expect(await screen.findByText('No keys yet')).toBeInTheDocument();
  const stream = await openStream();
  expect(stream.url).toMatch(/\/api\/v1\/projects\/[0-9a-f-]+\/events$/);
  answer('get', '/projects/{project_id}/keys', () => page([key()]));
  stream.say('key.create');
  expect(await screen.findByRole('cell', { name: /checkout service/ })).toBeInTheDocument();
});

test('pages of the organization follow the organization, and a new role shows at once', async () => {
  answer('get', '/organizations/{organization_id}/members', () => page([]));
  answer('get', '/me', () => json(as('viewer')));
  visit('/o/analytical/settings/members');
  expect(await screen.findByRole('heading', { level: 1, name: 'Members' })).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: /Invite/ })).not.toBeInTheDocument();
  const stream = await openStream();
  expect(stream.url).toMatch(/\/api\/v1\/organizations\/[0-9a-f-]+\/events$/);
  answer('get', '/me', () => json(as('admin')));
  stream.say('member.change');
  expect(await screen.findByRole('button', { name: /Invite/ })).toBeInTheDocument();
});

test.each(['key.create', 'model.create', 'deployment.update', 'batch_job.create'])('the audit log shows an entry of %s at once', async (type) => {
  answer('get', '/organizations/{organization_id}/audit', () => page([]));
  visit('/o/analytical/audit');
  expect(await screen.findByText('No entries')).toBeInTheDocument();
  const stream = await openStream();
  answer('get', '/organizations/{organization_id}/audit', () => page([auditEntry({ action: type })]));
  stream.say(type);
  expect(await screen.findByText(type)).toBeInTheDocument();
});

test('whoever is removed finds that the page is not there any more', async () => {
  visit('/o/analytical/p/default/keys');
  expect(await screen.findByText('No keys yet')).toBeInTheDocument();
  const stream = await openStream();
  answer('get', '/me', () => json(me({ organizations: [] })));
  act(() => void stream.dispatchEvent(new Event('end')));
  expect(await screen.findByRole('heading', { name: 'There is nothing here' })).toBeInTheDocument();
});

test('a flood of changes is loaded once at its start and once at its end', async () => {
  const asked = vi.fn();
  answer('get', '/projects/{project_id}/keys', () => {
    asked();
    return page([]);
  });
  visit('/o/analytical/p/default/keys');
  expect(await screen.findByText('No keys yet')).toBeInTheDocument();
  const stream = await openStream();
  const before = asked.mock.calls.length;
  for (let change = 0; change < 100; change++) stream.say('key.update');
  answer('get', '/projects/{project_id}/keys', () => {
    asked();
    return page([key()]);
  });
  expect(await screen.findByRole('cell', { name: /checkout service/ })).toBeInTheDocument();
  expect(asked.mock.calls.length - before).toBeLessThanOrEqual(2);
});

test('whether the page is live stands in words, and lists ask less often while it is', async () => {
  visit('/o/analytical/p/default/keys');
  const stream = await openStream();
  act(() => void stream.dispatchEvent(new Event('open')));
  expect(await screen.findByText('Live')).toBeInTheDocument();
  expect([pollUnlessLive(1_000), pollUnlessLive(60_000)]).toEqual([15_000, 60_000]);
  act(() => void stream.dispatchEvent(new Event('error')));
  expect(screen.getByText('Reconnecting')).toBeInTheDocument();
  expect(pollUnlessLive(1_000)).toBe(1_000);
});

test('what changed while the tab was hidden is loaded when it is seen again', async () => {
  visit('/o/analytical/p/default/keys');
  expect(await screen.findByText('No keys yet')).toBeInTheDocument();
  await openStream();
  const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  document.dispatchEvent(new Event('visibilitychange'));
  answer('get', '/projects/{project_id}/keys', () => page([key()]));
  visibility.mockReturnValue('visible');
  document.dispatchEvent(new Event('visibilitychange'));
  const stream = await openStream();
  act(() => void stream.dispatchEvent(new Event('open')));
  expect(await screen.findByRole('cell', { name: /checkout service/ })).toBeInTheDocument();
  visibility.mockRestore();
});

test('a hidden tab has no stream', async () => {
  visit('/o/analytical/p/default/keys');
  await openStream();
  const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  document.dispatchEvent(new Event('visibilitychange'));
  expect(streams()).toHaveLength(0);
  visibility.mockReturnValue('visible');
  document.dispatchEvent(new Event('visibilitychange'));
  expect(streams()).toHaveLength(1);
  visibility.mockRestore();
});

test('what was missed while the stream was lost is loaded when it is back', async () => {
  visit('/o/analytical/p/default/keys');
  expect(await screen.findByText('No keys yet')).toBeInTheDocument();
  const stream = await openStream();
  stream.dispatchEvent(new Event('error'));
  answer('get', '/projects/{project_id}/keys', () => page([key()]));
  act(() => void stream.dispatchEvent(new Event('open')));
  expect(await screen.findByRole('cell', { name: /checkout service/ })).toBeInTheDocument();
});

test('what may not be seen any more is not shown', async () => {
  answer('get', '/projects/{project_id}/keys', () => page([key()]));
  visit('/o/analytical/p/default/keys');
  expect(await screen.findByRole('cell', { name: /checkout service/ })).toBeInTheDocument();
  const stream = await openStream();
  answer('get', '/projects/{project_id}/keys', () => problem(403, 'Not allowed', 'this needs the role admin; yours is viewer'));
  stream.say('key.update');
  expect(await screen.findByRole('alert')).toHaveTextContent('this needs the role admin');
  expect(screen.queryByRole('cell', { name: /checkout service/ })).not.toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Try again' })).not.toBeInTheDocument();
});
