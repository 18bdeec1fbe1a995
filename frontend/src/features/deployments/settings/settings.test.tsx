import { screen, waitFor, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import type { Deployment } from '@/api/types';
import { deployment, tuning, worker } from '@/test/factories';
import { answer, json, problem } from '@/test/server';
import { visit } from '@/test/visit';

// jsdom has no canvas to draw on; the chart's words and table are what is tested here.
vi.mock('@/charts/Plot', () => ({ default: ({ summary }: { summary: string }) => <div role="img" aria-label={summary} /> }));

const PAGE = '/o/analytical/p/default/deployments/d1?tab=settings';
const ONE = '/projects/{project_id}/deployments/{deployment_id}';

function serve(over: Partial<Deployment> = {}) {
  const served = deployment({ id: 'd1', workers: [worker({ tuning: tuning() })], ...over });
  answer('get', ONE, () => json(served));
  const nothing = { requests: 0, errors: 0, server_errors: 0, rows: 0, p50_us: null, p95_us: null, p99_us: null, lost: 0 };
  answer('get', `${ONE}/monitoring/requests`, () => json({ from: served.created_at, to: served.created_at, step_s: 60, points: [], totals: nothing }));
  return served;
}

function patches(reply: () => Response) {
  const asked = vi.fn();
  answer('patch', ONE, async ({ request }) => {
    asked(await request.json());
    return reply();
  });
  return asked;
}

test('the measured curve is told in words and as a table, and each choice with its reason', async () => {
  serve();
  const { user } = visit(PAGE);
  const choices = await screen.findByRole('table', { name: 'How it is served' });
  expect(within(choices).getByRole('row', { name: 'Batch size 8 rows Headrace Most rows a second.' })).toBeInTheDocument();
  expect(within(choices).getByRole('row', { name: 'Batch delay 2 ms Pinned The revision demands it.' })).toBeInTheDocument();
  expect(screen.getByText(/takes most, 400K rows a second, in runs of 8 rows with 1 thread\. Measured .*in 420 ms\./)).toBeInTheDocument();
  expect(await screen.findByRole('img', { name: /^Time of a run, 1 to 64\. 1 thread: 10 µs to 640 µs, highest at 64, last 640 µs\. 2 threads/ })).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'View Rows a second as table' }));
  const table = screen.getByRole('table', { name: 'Rows a second' });
  expect(within(table).getAllByRole('row').map((it) => it.textContent)).toEqual(['Rows of one run1 thread2 threads', '1 row100K40K', '8 rows400K–', '64 rows100K160K']);
});

test('a revision that no worker measured says so', async () => {
  serve({ workers: [worker()], state: 'starting' });
  visit(PAGE);
  expect(await screen.findByText('Not measured yet')).toBeInTheDocument();
});

test('what several workers measured can be looked at one by one', async () => {
  const slower = tuning({ choices: [{ name: 'max_batch_size', value: '2', reason: 'A slower core.', is_pinned: false }] });
  serve({ workers: [worker({ tuning: tuning() }), worker({ worker_id: 'gateway-2', tuning: slower })] });
  const { user } = visit(PAGE);
  await user.selectOptions(await screen.findByLabelText('As measured by worker'), 'gateway-2');
  expect(screen.getByRole('row', { name: /2 rows Headrace A slower core/ })).toBeInTheDocument();
});

test('a changed setting is reviewed, and becomes the next revision', async () => {
  const served = serve();
  const made = { ...served.revision, id: 'r2', number: 2, settings: { batching: { max_batch_size: 4 }, cache: { ttl_s: 5, max_bytes: 67_108_864 } } };
  const asked = patches(() => json({ ...served, revision: made }));
  const { user } = visit(PAGE);
  const size = await screen.findByLabelText(/^Batch size/);
  expect(size).toHaveAttribute('placeholder', 'Headrace chooses: 8 rows');
  await user.type(size, '4');
  await user.selectOptions(screen.getByLabelText('Cache'), 'on');
  const kept = screen.getByLabelText(/^Answers are kept for/);
  await user.clear(kept);
  await user.type(kept, '5');
  await user.click(screen.getByRole('button', { name: 'Review changes' }));
  const dialog = within(await screen.findByRole('dialog', { name: 'Change how credit is served' }));
  const lines = within(dialog.getByRole('list', { name: 'Changes' })).getAllByRole('listitem');
  expect(lines.map((it) => it.textContent)).toEqual(['Batch sizeHeadrace chooses4 rows', 'CacheOff5 s, up to 67.1 MB']);
  expect(dialog.getByText(/^Makes revision 2 of the same model version\. Revision 1 answers until it is ready/)).toBeInTheDocument();
  answer('get', ONE, () => json({ ...served, revision: made }));
  await user.click(dialog.getByRole('button', { name: 'Make revision 2' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(asked).toHaveBeenCalledTimes(1);
  expect(asked.mock.lastCall?.[0]).toMatchObject({ model_version_id: served.revision.model_version.id, settings: { batching: { max_batch_size: 4, max_delay_us: null }, cache: { ttl_s: 5 } } });
  expect(await screen.findByLabelText(/^Batch size/)).toHaveValue('4');
});

test('a fault is told at its field and nothing is reviewed; changes can be taken back', async () => {
  serve();
  const { user } = visit(PAGE);
  const threads = await screen.findByLabelText(/^Threads of a run/);
  await user.type(threads, '65');
  await user.click(screen.getByRole('button', { name: 'Review changes' }));
  expect(threads).toHaveAccessibleDescription('Enter a number from 1 to 64');
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Discard changes' }));
  expect(threads).toHaveValue('');
});

test('what was typed survives another tab; a refusal of the server is shown in the review', async () => {
  serve();
  patches(() => problem(422, 'Invalid', 'Validation failed', [{ field: 'settings.max_concurrency', message: 'must be at least 1' }]));
  const { user } = visit(PAGE);
  await user.type(await screen.findByLabelText(/^Requests at once/), '8');
  await user.click(screen.getByRole('tab', { name: 'Workers' }));
  await user.click(screen.getByRole('tab', { name: 'Settings' }));
  expect(screen.getByLabelText(/^Requests at once/)).toHaveValue('8');
  await user.click(screen.getByRole('button', { name: 'Review changes' }));
  await user.click(await screen.findByRole('button', { name: 'Make revision 2' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('settings.max_concurrency: must be at least 1');
});

test('without a change there is nothing to make', async () => {
  serve();
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Review changes' }));
  expect(await screen.findByText('Nothing is different from revision 1.')).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Make revision 2' })).toBeDisabled();
});
