import { createMemoryHistory } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { App } from '@/app/App';
import { createConsole } from '@/app/router';

/** Opens the console at `path` and gives a user to act with and the router to see where they are. */
export function visit(path: string) {
  const console = createConsole(createMemoryHistory({ initialEntries: [path] }));
  // Retries are for networks; a test that fails a request means it.
  console.queryClient.setDefaultOptions({ ...console.queryClient.getDefaultOptions(), queries: { ...console.queryClient.getDefaultOptions().queries, retry: false } });
  const user = userEvent.setup();
  render(<App {...console} />);
  return { user, router: console.router };
}
