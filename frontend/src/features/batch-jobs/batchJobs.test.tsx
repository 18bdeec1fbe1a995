import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, expect, test, vi } from 'vitest';

import type { BatchJob } from '@/api/types';
import { batchJob, deployment, modelVersion } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

import { expectedColumns } from './columns';
import { durationWords, rateOf, shareOf, timeLeft } from './progress';

const PAGE = '/o/analytical/p/default/batch-jobs';
const ONE = `${PAGE}/${batchJob().id}`;
const FILE = new File(['x_0,x_1\n1,2\n'], 'customers.csv');

const tensor = (name: string, shape: number[], datatype = 'FP32') => ({ name, datatype, shape });

let jobs: BatchJob[];

beforeEach(() => {
  jobs = [];
  answer('get', '/projects/{project_id}/batch-jobs', () => page(jobs));
  answer('get', '/projects/{project_id}/batch-jobs/{job_id}', () => (jobs[0] ? json(jobs[0]) : problem(404, 'Batch job not found', 'no such job')));
  answer('get', '/projects/{project_id}/deployments', () => page([deployment(), deployment({ id: 'second', name: 'churn' })]));
});

async function openDialog() {
  const opened = visit(PAGE);
  await opened.user.click((await screen.findAllByRole('button', { name: 'New batch job' }))[0]!);
  return { ...opened, form: within(await screen.findByRole('dialog')) };
}

test('a chosen file becomes a job of the chosen deployment, and its page opens', async () => {
  const asked = vi.fn();
  answer('post', '/projects/{project_id}/batch-jobs', ({ request }) => {
    asked(Object.fromEntries(new URL(request.url).searchParams));
    jobs = [batchJob()];
    return json(batchJob(), 201);
  });
  const { user, form } = await openDialog();
  expect(await form.findByText('features_0,features_1,features_2,features_3')).toBeInTheDocument();
  expect(form.getByRole('button', { name: 'Start job' })).toBeDisabled();
  await user.selectOptions(form.getByLabelText('Deployment'), 'second');
  await user.upload(form.getByLabelText(/Choose a CSV/), FILE);
  await user.click(form.getByRole('button', { name: 'Start job' }));
  expect(await screen.findByRole('heading', { name: 'customers.csv' })).toBeInTheDocument();
  expect(asked).toHaveBeenCalledExactlyOnceWith({ deployment_id: 'second', file_name: 'customers.csv' });
});

test('the server says which column is missing, and another file or deployment can be chosen', async () => {
  answer('post', '/projects/{project_id}/batch-jobs', () => problem(422, 'Input refused', "the file has no column 'features_3'"));
  const { user, form } = await openDialog();
  await user.upload(form.getByLabelText(/Choose a CSV/), FILE);
  await user.click(form.getByRole('button', { name: 'Start job' }));
  expect(await form.findByRole('alert')).toHaveTextContent("no column 'features_3'");
  await user.selectOptions(form.getByLabelText('Deployment'), 'second');
  expect(form.queryByRole('alert')).not.toBeInTheDocument();
  await user.click(form.getByRole('button', { name: 'Start job' }));
  expect(await form.findByRole('alert')).toBeInTheDocument();
  await user.upload(form.getByLabelText(/customers.csv/), FILE);
  expect(form.queryByRole('alert')).not.toBeInTheDocument();
});

test('a file of no known format is refused before it is sent', async () => {
  const { form } = await openDialog();
  const input = form.getByLabelText(/Choose a CSV/);
  const { default: userEvent } = await import('@testing-library/user-event');
  await userEvent.setup({ applyAccept: false }).upload(input, new File(['x'], 'rows.xlsx'));
  expect(await form.findByRole('alert')).toHaveTextContent('“rows.xlsx” is none of the formats');
  expect(form.getByRole('button', { name: 'Start job' })).toBeDisabled();
});

test('a list shows how far each job is', async () => {
  jobs = [
    batchJob({ id: 'a', state: 'running', rows_done: 240, rows_failed: 10, input: { ...batchJob().input, file_name: 'running.csv' } }),
    batchJob({ id: 'b', state: 'failed', reason: 'the deployment was deleted' }),
  ];
  visit(PAGE);
  expect(await screen.findByRole('progressbar', { name: 'Progress of running.csv' })).toHaveAttribute('aria-valuetext', '250 of 1,000 rows');
  expect(screen.getByText('Failed', { selector: 'span' })).toHaveAttribute('title', 'the deployment was deleted');
});

test('a running job is followed to its end, and its files are offered then', async () => {
  jobs = [batchJob({ state: 'running', rows_done: 400 })];
  visit(ONE);
  expect(await screen.findByText(/400 of 1,000 rows/)).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: /Download/ })).not.toBeInTheDocument();
  jobs = [
    batchJob({
      state: 'succeeded',
      rows_done: 997,
      rows_failed: 3,
      started_at: '2026-11-20T09:30:00Z',
      finished_at: '2026-11-20T09:30:10Z',
      results: { file_name: 'customers-results.csv', digest: 'd', size_bytes: 64_000 },
      failed_rows: { file_name: 'customers-failed-rows.jsonl', digest: 'e', size_bytes: 300 },
    }),
  ];
  expect(await screen.findByRole('button', { name: 'Download results' }, { timeout: 3000 })).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Download failed rows' })).toBeInTheDocument();
  expect(screen.getByText('100 over 10 s')).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Cancel job' })).not.toBeInTheDocument();
});

test('a download is the browser’s own, from the job’s address', async () => {
  const clicked: string[] = [];
  const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    clicked.push(new URL(this.href).pathname);
  });
  jobs = [batchJob({ state: 'succeeded', results: { file_name: 'customers-results.csv', digest: 'd', size_bytes: 64_000 } })];
  const { user } = visit(ONE);
  await user.click(await screen.findByRole('button', { name: 'Download results' }));
  await waitFor(() => expect(clicked).toEqual([`/api/v1/projects/${batchJob().project_id}/batch-jobs/${batchJob().id}/results`]));
  click.mockRestore();
});

test('a job is cancelled and resumed', async () => {
  jobs = [batchJob({ state: 'running', rows_done: 400 })];
  for (const [verb, state] of [['cancel', 'cancelled'], ['resume', 'queued']] as const) {
    answer('post', `/projects/{project_id}/batch-jobs/{job_id}/${verb}`, () => {
      jobs = [batchJob({ state, rows_done: 400 })];
      return json(jobs[0]!);
    });
  }
  const { user } = visit(ONE);
  await user.click(await screen.findByRole('button', { name: 'Cancel job' }));
  expect(await screen.findByText('Cancelled')).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Resume' }));
  expect(await screen.findByText('Queued')).toBeInTheDocument();
});

test('a failed job says why', async () => {
  jobs = [batchJob({ state: 'failed', reason: "the deployment 'credit' was deleted" })];
  visit(ONE);
  expect(await screen.findByRole('alert')).toHaveTextContent("the deployment 'credit' was deleted");
  expect(screen.getByText(/What was done is kept/)).toBeInTheDocument();
});

test('a job whose deployment is gone is not offered to be resumed', async () => {
  jobs = [batchJob({ state: 'failed', reason: "the deployment 'credit' was deleted", deployment_id: null })];
  visit(ONE);
  expect(await screen.findByRole('alert')).toBeInTheDocument();
  expect(screen.getByRole('button', { name: 'Delete job' })).toBeInTheDocument();
  expect(screen.queryByRole('button', { name: 'Resume' })).not.toBeInTheDocument();
  expect(screen.queryByText(/What was done is kept/)).not.toBeInTheDocument();
});

test('all deployments can be chosen, however many pages they fill', async () => {
  answer('get', '/projects/{project_id}/deployments', ({ request }) =>
    new URL(request.url).searchParams.has('cursor') ? page([deployment({ id: 'last', name: 'last' })]) : json({ items: [deployment()], next_cursor: 'more' }),
  );
  const { form } = await openDialog();
  expect(await form.findByRole('option', { name: /^last/ })).toBeInTheDocument();
});

test('that deployments cannot be listed is not taken for there being none', async () => {
  answer('get', '/projects/{project_id}/deployments', () => problem(422, 'Refused', 'not today'));
  const { form } = await openDialog();
  expect(await form.findByRole('alert')).toHaveTextContent('not today');
  expect(form.queryByText(/has none yet/)).not.toBeInTheDocument();
});

test('deleting asks first and leads back to the list', async () => {
  jobs = [batchJob({ state: 'succeeded' })];
  answer('delete', '/projects/{project_id}/batch-jobs/{job_id}', () => {
    jobs = [];
    return new Response(null, { status: 204 });
  });
  const { user, router } = visit(ONE);
  await user.click(await screen.findByRole('button', { name: 'Delete job' }));
  await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Delete job' }));
  expect(await screen.findByText('No batch jobs yet')).toBeInTheDocument();
  expect(router.state.location.pathname).toBe(PAGE);
});

test('a job that is not there says so', async () => {
  visit(ONE);
  expect(await screen.findByText('This batch job does not exist')).toBeInTheDocument();
});

test('rates and times left are told only where they are known', () => {
  const job = batchJob({ state: 'running', rows_done: 500 });
  expect(rateOf([{ at: 0, rows: 100 }])).toBeNull();
  expect(rateOf([{ at: 0, rows: 100 }, { at: 1000, rows: 200 }])).toBeNull();
  expect(rateOf([{ at: 0, rows: 100 }, { at: 4000, rows: 500 }])).toBe(100);
  expect(timeLeft(job, 10)).toBe('about 50 s left');
  expect(timeLeft(job, null)).toBeNull();
  expect(['5 s', '3 min', '2.5 h']).toEqual([5, 150, 9000].map(durationWords));
  expect(shareOf(batchJob({ state: 'running', rows_total: 10, rows_done: 12 }))).toBe(0.999);
  expect(shareOf(batchJob({ state: 'succeeded', rows_total: 10, rows_done: 10 }))).toBe(1);
});

test('expected columns follow the signature and the names in the metadata', () => {
  const example = (inputs: ReturnType<typeof tensor>[], metadata = {}) => expectedColumns(modelVersion({ inputs, metadata })).example;
  expect(example([tensor('amount', [-1, 1]), tensor('country', [-1], 'BYTES')])).toBe('amount,country');
  expect(example([tensor('x', [-1, 2])], { 'headrace.features': '["age",{"name":"income"}]' })).toBe('age,income');
  expect(example([tensor('x', [-1, 2])], { 'headrace.features': 'nonsense' })).toBe('x_0,x_1');
  expect(example([tensor('x', [-1])], { 'headrace.features': '["age"]' })).toBe('age');
  expect(example([tensor('x', [1, 2]), tensor('h', [2, 1, 64])])).toBe('x,h');
  expect(example([tensor('x', [-1, 784])])).toBe('x_0,x_1,x_2,x_3,x_4,x_5,…');
  expect(expectedColumns(modelVersion({ inputs: [tensor('image', [-1, 3, -1, -1])] })).columns).toEqual([{ name: 'image', holds: 'FP32 list of 3 × any × any' }]);
});
