import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse } from 'msw';
import { expect, test, vi } from 'vitest';

import type { Deployment, ModelVersion } from '@/api/types';
import { deployment, modelVersion } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

import { pixelsOf } from './pixels';

// jsdom decodes no pictures; what is made of their pixels is tested here and in image.test.ts.
vi.mock('./pixels', () => ({ pixelsOf: vi.fn() }));

const PAGE = '/o/analytical/p/default/deployments/d1';
const ONE = '/projects/{project_id}/deployments/{deployment_id}';
const TIMING = { 'Server-Timing': 'decode;dur=0.020, queue;dur=0.080, infer;dur=1.400' };
const FEATURES = [{ name: 'features', datatype: 'FP32', shape: [-1, 2] }];

function named(id: string, name: string, version: Partial<ModelVersion> = {}): Deployment {
  const made = deployment({ id, name });
  return { ...made, revision: { ...made.revision, model_version: modelVersion({ inputs: FEATURES, ...version }) } };
}

/** The first is the page's own. */
function serve(...all: Deployment[]) {
  answer('get', ONE, ({ params }) => json(all.find((it) => it.id === params['deployment_id']) ?? {}));
  answer('get', '/projects/{project_id}/deployments', () => page(all));
  const nothing = { requests: 0, errors: 0, server_errors: 0, rows: 0, p50_us: null, p95_us: null, p99_us: null, lost: 0 };
  answer('get', `${ONE}/monitoring/requests`, () => json({ from: '2026-11-20T09:30:00Z', to: '2026-11-20T09:30:00Z', step_s: 60, points: [], totals: nothing }));
}

/** Answers each deployment's inference with these scores, or refuses; and remembers who was asked what. */
function infer(scores: Record<string, number[] | string>, said: Record<string, string> = TIMING) {
  const asked = vi.fn();
  answer('post', `${ONE}/infer`, async ({ params, request }) => {
    const id = String(params['deployment_id']);
    asked(id, await request.json());
    const data = scores[id];
    if (typeof data === 'string') return json({ error: data }, 400);
    const response = json({ model_name: id, model_version: '1', outputs: [{ name: 'score', datatype: 'FP32', shape: [data?.length ?? 0], data }] });
    for (const [name, value] of Object.entries(said)) response.headers.set(name, value);
    return response;
  });
  return asked;
}

const REQUEST = { inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 2], data: [0, 0] }] };

test('an answer says where its time went', async () => {
  serve(named('d1', 'credit'));
  infer({ d1: [0.5] });
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Send request' }));
  expect(await screen.findByText(/^Answered in .*, the way from this browser and back included$/)).toBeInTheDocument();
  const terms = within(screen.getByLabelText('Where the time went')).getAllByRole('term').map((it) => `${it.textContent} ${it.nextElementSibling?.textContent}`);
  expect(terms).toEqual(expect.arrayContaining(['Decode 20 µs', 'Queue 80 µs', 'Model 1.4 ms', expect.stringMatching(/^Network \d/)]));
});

test('an answer that was kept says so', async () => {
  serve(named('d1', 'credit'));
  infer({ d1: [0.5] }, { 'X-Headrace-Cache': 'hit' });
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Send request' }));
  expect(await screen.findByText(/^Answered from the cache in/)).toBeInTheDocument();
  expect(screen.queryByLabelText('Where the time went')).not.toBeInTheDocument();
});

test('the same request goes to up to three deployments, and what differs is marked', async () => {
  serve(named('d1', 'credit'), named('d2', 'credit-b'), named('d3', 'credit-c'), named('d4', 'credit-d'), named('d5', 'digits', { inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 64] }] }));
  const asked = infer({ d1: [0.5], d2: [0.75], d3: [0.500_01] });
  const { user, router } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Compare' }));
  expect(await screen.findByRole('menuitemcheckbox', { name: 'digits takes other inputs' })).toHaveAttribute('aria-disabled', 'true');
  await user.click(screen.getByRole('menuitemcheckbox', { name: /^credit-b/ }));
  await user.click(screen.getByRole('button', { name: 'Compare (2)' }));
  await user.click(await screen.findByRole('menuitemcheckbox', { name: /^credit-c/ }));
  expect(router.state.location.search).toEqual({ compare: 'credit-b,credit-c' });
  await user.click(screen.getByRole('button', { name: 'Compare (3)' }));
  expect(await screen.findByRole('menuitemcheckbox', { name: /^credit-d/ })).toHaveAttribute('aria-disabled', 'true');
  await user.keyboard('{Escape}');
  await user.click(screen.getByRole('button', { name: 'Send to 3' }));
  const answers = await screen.findByRole('table', { name: 'Answers' });
  expect(await within(answers).findByRole('row', { name: 'score 0.5 0.75 differs by 0.25 0.50001 same' })).toBeInTheDocument();
  expect(screen.getByText('Differs in score, at most by 0.25.')).toBeInTheDocument();
  expect(screen.getByText('The same answer.')).toBeInTheDocument();
  expect(asked.mock.calls).toEqual(['d1', 'd2', 'd3'].map((id) => [id, REQUEST]));
  await user.selectOptions(screen.getByLabelText('Differences above'), '0.000001');
  expect(within(answers).getByRole('row', { name: /0.50001 differs by 0.00001$/ })).toBeInTheDocument();
  const timings = within(screen.getByRole('table', { name: 'Timings' }));
  expect(timings.getByRole('row', { name: 'Model the run itself 1.4 ms 1.4 ms the same 1.4 ms the same' })).toBeInTheDocument();
});

test('a comparison is in the address, and one that refuses does not keep the others back', async () => {
  serve(named('d1', 'credit'), named('d2', 'credit-b'), named('d3', 'credit-c'));
  infer({ d1: [0.5], d2: 'expected 3 values a row, got 2', d3: [0.5] });
  const { user } = visit(`${PAGE}?compare=credit-b,credit-c`);
  await user.click(await screen.findByRole('button', { name: 'Send to 3' }));
  expect(await screen.findByText('The same answer.')).toBeInTheDocument();
  expect(screen.getByText('Refused the request.')).toBeInTheDocument();
  expect(screen.getByRole('alert')).toHaveTextContent('credit-b: expected 3 values a row, got 2');
});

test.each(['gone', 'credit', 'credit-b,credit-b,credit-b', 'Not a name'])('an address that compares with %j shows the deployment alone', async (compare) => {
  serve(named('d1', 'credit'), named('d2', 'credit-b'));
  visit(`${PAGE}?compare=${encodeURIComponent(compare)}`);
  expect(await screen.findByRole('button', { name: 'Compare' })).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Send request' })).toBeInTheDocument();
});

test('without a connection the request says so and is kept in the history', async () => {
  serve(named('d1', 'credit'));
  answer('post', `${ONE}/infer`, () => HttpResponse.error());
  answer('get', '/projects/{project_id}/deployments', () => problem(503, 'Dependency unavailable', 'the database does not answer'));
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Send request' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('No answer came from the server');
  await user.click(screen.getByRole('button', { name: 'History' }));
  expect(await screen.findByRole('button', { name: /refused.*"features"/ })).toBeInTheDocument();
  await user.keyboard('{Escape}');
  await user.click(screen.getByRole('button', { name: 'Compare' }));
  expect(await screen.findByText('the database does not answer')).toBeInTheDocument();
});

test('a request that was sent can be filled in again, and the history cleared', async () => {
  serve(named('d1', 'credit'));
  const asked = infer({ d1: [0.5] });
  const { user } = visit(PAGE);
  const cell = await screen.findByLabelText('features, row 1, column 2');
  await user.clear(cell);
  await user.type(cell, '7');
  await user.click(screen.getByRole('button', { name: 'Send request' }));
  await screen.findByRole('table', { name: 'Answer' });
  await user.click(screen.getByRole('button', { name: 'Start over' }));
  expect(screen.getByLabelText('features, row 1, column 2')).toHaveValue('0');
  await user.click(screen.getByRole('button', { name: 'History' }));
  await user.click(await screen.findByRole('button', { name: /"data":\[0,7\]/ }));
  await waitFor(() => expect(screen.queryByRole('dialog')).not.toBeInTheDocument());
  expect(screen.getByLabelText('features, row 1, column 2')).toHaveValue('7');
  await user.click(screen.getByRole('button', { name: 'Send request' }));
  await waitFor(() => expect(asked).toHaveBeenCalledTimes(2));
  await user.click(screen.getByRole('button', { name: 'History' }));
  expect(await screen.findAllByRole('button', { name: /"data"/ })).toHaveLength(1);
  await user.click(screen.getByRole('button', { name: 'Clear the history' }));
  expect(screen.getByText('Nothing was sent yet.')).toBeInTheDocument();
});

test('a request with more than the form can say comes back as it was written', async () => {
  serve(named('d1', 'credit'));
  infer({ d1: [0.5] });
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('radio', { name: 'JSON' }));
  const field = screen.getByLabelText('Request body');
  const text = '{"id":"7","inputs":[]}';
  await user.clear(field);
  await user.click(field);
  await user.paste(text);
  await user.keyboard('{Control>}{Enter}{/Control}');
  await screen.findByRole('heading', { name: 'Answer' });
  await user.click(screen.getByRole('button', { name: 'Start over' }));
  await user.click(screen.getByRole('button', { name: 'History' }));
  await user.click(await screen.findByRole('button', { name: /"id":"7"/ }));
  expect(await screen.findByLabelText('Request body')).toHaveValue(text);
});

test('cells of a spreadsheet are pasted into the grid, and Enter goes down a column', async () => {
  serve(named('d1', 'credit'));
  const asked = infer({ d1: [0.5, 0.5] });
  const { user } = visit(PAGE);
  await user.click(await screen.findByLabelText('features, row 1, column 1'));
  await user.paste('1.5\t2\n3\t4');
  expect(screen.getByLabelText('features, row 2, column 2')).toHaveValue('4');
  await user.keyboard('{Enter}');
  expect(screen.getByLabelText('features, row 2, column 1')).toHaveFocus();
  await user.click(screen.getByRole('button', { name: 'Send request' }));
  await waitFor(() => expect(asked).toHaveBeenCalledExactlyOnceWith('d1', { inputs: [{ ...REQUEST.inputs[0], shape: [2, 2], data: [1.5, 2, 3, 4] }] }));
});

test('a picture becomes the tensor of its input, and can be scaled otherwise', async () => {
  serve(named('d1', 'vision', { inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 3, 8, 8] }] }));
  const asked = infer({ d1: [0.5] });
  vi.mocked(pixelsOf).mockResolvedValue({ width: 8, height: 8, data: Array<number>(256).fill(255) });
  vi.stubGlobal('URL', Object.assign(URL, { createObjectURL: () => 'blob:picture', revokeObjectURL: () => undefined }));
  const { user } = visit(PAGE);
  await user.upload(await screen.findByLabelText('Choose a picture for image'), new File(['…'], 'cat.png', { type: 'image/png' }));
  expect(await screen.findByRole('img', { name: 'cat.png' })).toBeInTheDocument();
  await user.selectOptions(screen.getByLabelText('Values'), '0 to 255');
  await waitFor(() => expect(screen.getByLabelText('Values')).toHaveValue('byte'));
  await user.click(screen.getByRole('button', { name: 'Send request' }));
  await waitFor(() => expect(asked).toHaveBeenCalledTimes(1));
  expect(asked).toHaveBeenCalledWith('d1', { inputs: [{ name: 'image', datatype: 'FP32', shape: [1, 3, 8, 8], data: Array<number>(192).fill(255) }] });
  await user.click(screen.getByRole('button', { name: 'Remove what is in image' }));
  expect(screen.getByLabelText(/^image FP32/)).toBeInTheDocument();
});

test('a file that is no picture is refused at its field', async () => {
  serve(named('d1', 'vision', { inputs: [{ name: 'image', datatype: 'FP32', shape: [-1, 3, 8, 8] }] }));
  vi.mocked(pixelsOf).mockRejectedValue(new Error('This file is no picture that the browser can read.'));
  const { user } = visit(PAGE);
  await user.upload(await screen.findByLabelText('Choose a picture for image'), new File(['…'], 'cat.png', { type: 'image/png' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('This file is no picture');
});

test('the request is copied as code', async () => {
  serve(named('d1', 'credit'));
  const { user } = visit(PAGE);
  await user.click(await screen.findByRole('button', { name: 'Copy as' }));
  await user.click(await screen.findByRole('menuitem', { name: 'JavaScript' }));
  await waitFor(async () => expect(await navigator.clipboard.readText()).toContain('{ name: "features", datatype: "FP32", shape: [1,2], data: [0,0] },'));
});
