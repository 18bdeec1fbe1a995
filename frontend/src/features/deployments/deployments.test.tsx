import { act, screen, waitFor, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';

import type { Deployment, ModelVersion } from '@/api/types';
import { deployment, modelVersion } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

// jsdom has no canvas to draw on; the chart's words, legend and table are what is tested here.
vi.mock('@/charts/Plot', () => ({ default: ({ summary }: { summary: string }) => <div role="img" aria-label={summary} /> }));

const PAGE = '/o/analytical/p/default/deployments/d1';
const TOTALS = { requests: 0, errors: 0, server_errors: 0, rows: 0, p50_us: null, p95_us: null, p99_us: null, lost: 0 };
const INFER = '/projects/{project_id}/deployments/{deployment_id}/infer';

/** One deployment, without traffic, of this model version. */
function serve(version: Partial<ModelVersion> = {}, over: Partial<Deployment> = {}) {
  const served = deployment({ id: 'd1', ...over });
  const only = { ...served, revision: { ...served.revision, model_version: modelVersion(version) } };
  answer('get', '/projects/{project_id}/deployments/{deployment_id}', () => json(only));
  traffic([]);
  return only;
}

function traffic(points: { time: string; requests: number; errors: number }[]) {
  const full = points.map((it) => ({ ...it, server_errors: 0, rows: it.requests, p50_us: 900, p95_us: 1800, p99_us: 2500 }));
  const requests = points.reduce((sum, it) => sum + it.requests, 0);
  const errors = points.reduce((sum, it) => sum + it.errors, 0);
  answer('get', '/projects/{project_id}/deployments/{deployment_id}/monitoring/requests', ({ request }) => {
    const asked = new URL(request.url).searchParams;
    return json({ from: asked.get('from'), to: asked.get('to'), step_s: 60, points: full, totals: { ...TOTALS, requests, errors } });
  });
  answer('get', '/projects/{project_id}/deployments/{deployment_id}/monitoring/recent', () => json({ items: [] }));
}

/** Answers inference with these outputs and remembers what was asked. */
function infer(outputs: object[]) {
  const asked = vi.fn();
  answer('post', INFER, async ({ request }) => {
    asked(await request.json());
    return json({ model_name: 'credit', model_version: '1', outputs });
  });
  return asked;
}

afterEach(() => void vi.useRealTimers());

test('a form of mixed columns sends one input a column and names the classes of the answer', async () => {
  serve({
    inputs: [
      { name: 'age', datatype: 'INT64', shape: [-1, 1] },
      { name: 'purpose', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'guarantor', datatype: 'BOOL', shape: [-1, 1] },
    ],
    metadata: {
      'headrace.labels': '["repays","defaults"]',
      'headrace.example': JSON.stringify([
        { name: 'age', datatype: 'INT64', shape: [1, 1], data: [52] },
        { name: 'purpose', datatype: 'BYTES', shape: [1, 1], data: ['car'] },
      ]),
    },
  });
  const asked = infer([
    { name: 'label', datatype: 'INT64', shape: [2], data: [0, 1] },
    { name: 'probabilities', datatype: 'FP32', shape: [2, 2], data: [0.9, 0.1, 0.25, 0.75] },
  ]);
  const { user } = visit(PAGE);
  expect(await screen.findByLabelText(/^age/)).toHaveValue('52');
  await user.click(screen.getByRole('button', { name: 'Add row' }));
  await user.clear(screen.getByLabelText(/^age/));
  await user.type(screen.getByLabelText(/^age/), '23');
  await user.selectOptions(screen.getByLabelText(/^guarantor/), 'true');
  await user.click(screen.getByRole('button', { name: 'Send request' }));
  const answered = await screen.findByRole('table', { name: 'Answer' });
  expect(within(answered).getByRole('row', { name: /^1 repays \(0\) repays 90.00% defaults 10.00%/ })).toBeInTheDocument();
  expect(within(answered).getByRole('row', { name: /^2 defaults \(1\) defaults 75.00% repays 25.00%/ })).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({
    inputs: [
      { name: 'age', datatype: 'INT64', shape: [2, 1], data: [52, 23] },
      { name: 'purpose', datatype: 'BYTES', shape: [2, 1], data: ['car', 'car'] },
      { name: 'guarantor', datatype: 'BOOL', shape: [2, 1], data: [false, true] },
    ],
  });
});

test('a wide tensor is pasted as lines', async () => {
  serve({ inputs: [{ name: 'pixels', datatype: 'FP32', shape: [-1, 3] }] });
  const asked = infer([{ name: 'score', datatype: 'FP32', shape: [2, 1], data: [0.5, 0.25] }]);
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Type pixels as text' }));
  const field = screen.getByLabelText(/^pixels FP32/);
  await user.clear(field);
  await user.click(field);
  await user.paste('1, 2, 3\n4, 5, 6');
  expect(field).toHaveAccessibleDescription('Reads as 2 × 3');
  await user.click(screen.getByRole('button', { name: 'Send request' }));
  expect(await screen.findByText('0.25')).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({ inputs: [{ name: 'pixels', datatype: 'FP32', shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }] });
});

test('a scalar is one field, and a fault is told at it before anything is sent', async () => {
  serve({ inputs: [{ name: 'threshold', datatype: 'FP32', shape: [] }] });
  const asked = infer([{ name: 'count', datatype: 'INT64', shape: [], data: [7] }]);
  const { user } = visit(PAGE);
  const field = await screen.findByLabelText(/^threshold/);
  await user.clear(field);
  await user.type(field, 'half');
  await user.click(screen.getByRole('button', { name: 'Send request' }));
  expect(field).toHaveAccessibleDescription('“half” is not a number');
  expect(asked).not.toHaveBeenCalled();
  await user.clear(field);
  await user.type(field, '0.5');
  await user.click(screen.getByRole('button', { name: 'Send request' }));
  expect(await screen.findByText('7')).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({ inputs: [{ name: 'threshold', datatype: 'FP32', shape: [], data: [0.5] }] });
});

test('the JSON view holds what the form says, and is sent as it is written', async () => {
  serve({ inputs: [{ name: 'id', datatype: 'INT64', shape: [-1] }] });
  const asked = vi.fn();
  answer('post', INFER, async ({ request }) => {
    asked(await request.text());
    return json({ model_name: 'credit', outputs: [] });
  });
  const { user } = visit(PAGE);
  await user.type(await screen.findByLabelText(/^id/), '5');
  await user.click(screen.getByRole('radio', { name: 'JSON' }));
  const field = screen.getByLabelText('Request body');
  expect(field).toHaveValue('{\n  "inputs": [\n    {"name":"id","datatype":"INT64","shape":[1],"data":[5]}\n  ]\n}');
  const text = '{"inputs":[{"name":"id","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}';
  await user.clear(field);
  await user.click(field);
  await user.paste(text);
  await user.click(screen.getByRole('button', { name: 'Send request' }));
  await waitFor(() => expect(asked).toHaveBeenCalledExactlyOnceWith(text));
});

test('the reason of a refused request is shown', async () => {
  serve();
  answer('post', INFER, () => json({ error: 'input "features": expected 4 values a row, got 3' }, 400));
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Send request' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('input "features": expected 4 values a row, got 3');
});

test('a starting deployment is asked for every second until it is ready, then every five', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  const only = serve();
  const states: Deployment['state'][] = ['pending', 'starting', 'ready'];
  let asked = 0;
  answer('get', '/projects/{project_id}/deployments/{deployment_id}', () => {
    const state = states[Math.min(asked, 2)];
    asked += 1;
    return json({ ...only, state });
  });
  visit(PAGE);
  expect(await screen.findByText('Published')).toBeInTheDocument();
  await act(() => vi.advanceTimersByTimeAsync(1_100));
  await waitFor(() => expect(asked).toBe(2));
  await act(() => vi.advanceTimersByTimeAsync(1_100));
  await waitFor(() => expect(screen.queryByText('Published')).not.toBeInTheDocument());
  expect(asked).toBe(3);
  await act(() => vi.advanceTimersByTimeAsync(3_000));
  expect(asked).toBe(3);
  await act(() => vi.advanceTimersByTimeAsync(2_500));
  await waitFor(() => expect(asked).toBe(4));
});

test('a failed deployment says why', async () => {
  serve({}, { state: 'failed', state_reason: 'node "scan_12" is not known' });
  visit(PAGE);
  expect(await screen.findByText('This deployment could not start')).toBeInTheDocument();
  expect(screen.getByText('node "scan_12" is not known')).toBeInTheDocument();
});

test('the charts can be read as words and as a table, and their range is in the address', async () => {
  serve();
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 120_000);
  traffic([{ time: minute.toISOString(), requests: 12, errors: 3 }]);
  const { user, router } = visit(`${PAGE}?tab=requests&range=15m`);
  expect(await screen.findByRole('img', { name: /^Requests per minute.*Requests: 0 to 12, highest at/ })).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'View Requests per minute as table' }));
  const table = screen.getByRole('table', { name: 'Requests per minute' });
  expect(within(table).getAllByRole('row')).toHaveLength(2);
  expect(within(table).getByRole('row', { name: /12 3$/ })).toBeInTheDocument();
  await user.click(screen.getByRole('radio', { name: '6h' }));
  expect(router.state.location.search).toEqual({ tab: 'requests', range: '6h' });
});

test('an address with a bad tab or range falls back', async () => {
  serve();
  visit(`${PAGE}?tab=nope&range=9y`);
  expect(await screen.findByRole('tab', { name: 'Try it', selected: true })).toBeInTheDocument();
});

test('the snippets carry the request of the form and the public address', async () => {
  serve({ inputs: [{ name: 'id', datatype: 'INT64', shape: [-1] }] });
  const { user } = visit(PAGE);
  await user.type(await screen.findByLabelText(/^id/), '5');
  await user.click(screen.getByRole('tab', { name: 'Code' }));
  const code = await screen.findByRole('region', { name: 'curl snippet' });
  expect(code).toHaveTextContent('curl -s http://localhost:8081/v2/models/credit/infer');
  expect(code).toHaveTextContent('{"name":"id","datatype":"INT64","shape":[1],"data":[5]}');
  expect(screen.getByRole('link', { name: 'Create a key' })).toHaveAttribute('href', '/o/analytical/p/default/keys');
});

test('rolling back makes a revision of the old version with its settings', async () => {
  const only = serve();
  const old = { id: 'r0', number: 1, created_at: only.created_at, settings: { batching: { max_batch_size: 8, max_delay_us: 2000 } }, model_version: modelVersion({ id: 'v0', number: 7 }) };
  answer('get', '/projects/{project_id}/deployments/{deployment_id}/revisions', () => page([{ ...only.revision, number: 2 }, old]));
  const asked = vi.fn();
  answer('patch', '/projects/{project_id}/deployments/{deployment_id}', async ({ request }) => {
    asked(await request.json());
    return json(only);
  });
  const { user } = visit(`${PAGE}?tab=revisions`);
  await user.click(await screen.findByRole('button', { name: 'Roll back to revision 1' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByText(/from credit-risk v1 to credit-risk v7 with the settings of revision 1 \(batch size 8 rows, batch delay 2 ms\)/)).toBeInTheDocument();
  await user.click(dialog.getByRole('button', { name: 'Roll back' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(asked).toHaveBeenCalledExactlyOnceWith({ model_version_id: 'v0', settings: { batching: { max_batch_size: 8, max_delay_us: 2000 } } });
});

test('the version can be changed from the deployment', async () => {
  serve();
  answer('get', '/projects/{project_id}/models', () => page([]));
  answer('get', '/projects/{project_id}/models/{model_id}/versions', () => page([modelVersion({ id: 'v2', number: 2 }), modelVersion()]));
  const asked = vi.fn();
  answer('patch', '/projects/{project_id}/deployments/{deployment_id}', async ({ request }) => {
    asked(await request.json());
    return json(deployment({ id: 'd1' }));
  });
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Change version' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(await dialog.findByText(/^Moves credit from credit-risk v1 to credit-risk v2/)).toBeInTheDocument();
  await user.click(dialog.getByRole('button', { name: 'Change version' }));
  await waitFor(() => expect(asked).toHaveBeenCalledExactlyOnceWith({ model_version_id: 'v2' }));
});

test('deleting needs the name, and leads back to the list', async () => {
  serve();
  answer('delete', '/projects/{project_id}/deployments/{deployment_id}', () => new Response(null, { status: 204 }));
  answer('get', '/projects/{project_id}/deployments', () => page([]));
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Delete deployment' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.type(dialog.getByRole('textbox'), 'credit');
  await user.click(dialog.getByRole('button', { name: 'Delete deployment' }));
  expect(await screen.findByText('Nothing is deployed yet')).toBeInTheDocument();
});

test('a page whose refresh fails keeps what it showed and says how old it is', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  serve();
  visit(PAGE);
  await screen.findByRole('heading', { level: 1, name: 'credit' });
  answer('get', '/projects/{project_id}/deployments/{deployment_id}', () => problem(503, 'Dependency unavailable', 'the database does not answer'));
  await act(() => vi.advanceTimersByTimeAsync(5_500));
  expect(await screen.findByText(/the database does not answer/)).toBeInTheDocument();
  expect(screen.getByRole('heading', { level: 1, name: 'credit' })).toBeInTheDocument();
});
