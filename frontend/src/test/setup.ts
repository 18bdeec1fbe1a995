import '@testing-library/jest-dom/vitest';

import { cleanup, configure } from '@testing-library/react';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';

import { rememberCsrfToken } from '@/api/csrf';

import { server } from './server';

// The first test of a file waits for its page to be compiled as well; a second is too short on a busy machine.
configure({ asyncUtilTimeout: 5_000 });

// What jsdom lacks and a real page has.
vi.stubGlobal('matchMedia', (query: string) => Object.assign(new EventTarget(), { matches: false, media: query }));
vi.stubGlobal('scrollTo', () => undefined);
vi.stubGlobal(
  'ResizeObserver',
  class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
);
vi.stubGlobal(
  'EventSource',
  class extends EventTarget {
    static readonly CLOSED = 2;
    close() {}
  },
);
Object.assign(Element.prototype, { hasPointerCapture: () => false, setPointerCapture: () => undefined, releasePointerCapture: () => undefined, scrollIntoView: () => undefined });

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => {
  cleanup();
  server.resetHandlers();
  rememberCsrfToken(null);
  localStorage.clear();
  sessionStorage.clear();
});
afterAll(() => server.close());
