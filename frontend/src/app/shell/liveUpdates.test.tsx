import { act, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import { key } from '@/test/factories';
import { answer, page } from '@/test/server';
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
