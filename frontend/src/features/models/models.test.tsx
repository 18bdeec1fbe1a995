import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { expect, test, vi } from 'vitest';

import { deployment, model, modelVersion } from '@/test/factories';
import { answer, json, page, problem } from '@/test/server';
import { visit } from '@/test/visit';

const MODELS = '/o/analytical/p/default/models';
const onnx = (name = 'Fraud Model_v2.onnx') => new File(['onnx bytes'], name);
const nothing = () => new Response(null, { status: 204 });

/** A project with one model of two versions, deployed once. */
function registry() {
  const latest = modelVersion({ id: 'v2', number: 2, inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 4] }] });
  const only = model({ versions: 2, latest_version: latest, deployments: [{ id: 'd1', name: 'credit', version: 1 }] });
  answer('get', '/projects/{project_id}/models', () => page([only]));
  answer('get', '/projects/{project_id}/models/{model_id}', () => json(only));
  answer('get', '/projects/{project_id}/models/{model_id}/versions', () => page([latest, modelVersion({ id: 'v1', number: 1, digest: 'aaaa1111' })]));
  answer('get', '/projects/{project_id}/deployments', () => page([deployment({ id: 'd1' })]));
  return { only, latest };
}

async function chooseFile(file: File) {
  const opened = visit(MODELS);
  await opened.user.click(await screen.findByRole('button', { name: 'Upload model' }));
  await opened.user.upload(screen.getByLabelText(/Choose an ONNX file/), file);
  return opened;
}

test('an uploaded file becomes the first version of a new model, and its page opens', async () => {
  const asked = vi.fn();
  answer('get', '/projects/{project_id}/models', () => page([]));
  answer('post', '/projects/{project_id}/models', async ({ request }) => {
    asked(await request.json());
    return json(model({ id: 'm9', versions: 0, latest_version: null }), 201);
  });
  answer('post', '/projects/{project_id}/models/{model_id}/versions', ({ request, params }) => {
    asked(params['model_id'], new URL(request.url).searchParams.get('file_name'), request.headers.get('X-CSRF-Token'), request.headers.get('Content-Type'));
    return json(modelVersion({ id: 'v9', model_id: 'm9', number: 1 }), 201);
  });
  answer('get', '/projects/{project_id}/models/{model_id}', () => json(model({ id: 'm9', name: 'fraud-model-v2' })));
  answer('get', '/projects/{project_id}/models/{model_id}/versions', () => page([modelVersion()]));
  const { user, router } = await chooseFile(onnx());
  expect(screen.getByLabelText('Model name')).toHaveValue('fraud-model-v2');
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByRole('heading', { level: 1, name: 'fraud-model-v2' })).toBeInTheDocument();
  expect(router.state.location.href).toBe(`${MODELS}/m9?version=1`);
  expect(asked.mock.calls).toEqual([[{ name: 'fraud-model-v2' }], ['m9', 'Fraud Model_v2.onnx', 'csrf-1', 'application/octet-stream']]);
});

test('a refused file shows the reason, and the model made for it goes again', async () => {
  const removed = vi.fn();
  answer('get', '/projects/{project_id}/models', () => page([]));
  answer('post', '/projects/{project_id}/models', () => json(model({ id: 'm9' }), 201));
  answer('post', '/projects/{project_id}/models/{model_id}/versions', () => problem(422, 'Model refused', 'node "scan_12": operator Hash is not known'));
  answer('delete', '/projects/{project_id}/models/{model_id}', ({ params }) => {
    removed(params['model_id']);
    return nothing();
  });
  const { user, router } = await chooseFile(onnx());
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByRole('alert')).toHaveTextContent('Not accepted: node "scan_12": operator Hash is not known');
  expect(removed).toHaveBeenCalledExactlyOnceWith('m9');
  expect(router.state.location.pathname).toBe(MODELS);
  expect(screen.getByRole('button', { name: 'Upload' })).toBeEnabled();
});

test('a name that is taken is said at the name', async () => {
  answer('get', '/projects/{project_id}/models', () => page([]));
  answer('post', '/projects/{project_id}/models', () => problem(409, 'Model name taken', 'there is a model named "fraud-model-v2" already'));
  const { user } = await chooseFile(onnx());
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  await waitFor(() => expect(screen.getByLabelText('Model name')).toHaveAccessibleDescription('there is a model named "fraud-model-v2" already'));
});

test('an upload can be cancelled', async () => {
  answer('get', '/projects/{project_id}/models', () => page([]));
  answer('post', '/projects/{project_id}/models', () => json(model({ id: 'm9' }), 201));
  answer('delete', '/projects/{project_id}/models/{model_id}', nothing);
  answer('post', '/projects/{project_id}/models/{model_id}/versions', () => new Promise(() => undefined));
  const { user } = await chooseFile(onnx());
  await user.click(screen.getByRole('button', { name: 'Upload' }));
  expect(await screen.findByRole('progressbar', { name: 'Upload' })).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Cancel upload' }));
  expect(await screen.findByRole('button', { name: 'Upload' })).toBeEnabled();
  expect(screen.queryByRole('alert')).not.toBeInTheDocument();
});

test('several files dropped on the page are refused in words', async () => {
  answer('get', '/projects/{project_id}/models', () => page([]));
  visit(MODELS);
  await screen.findByText('No models yet');
  fireEvent.drop(window, { dataTransfer: { types: ['Files'], files: [onnx('a.onnx'), onnx('b.onnx')] } });
  expect(await screen.findByRole('alert')).toHaveTextContent('You chose 2 files. One file becomes one version: please upload them one after another.');
  expect(screen.getByRole('button', { name: 'Upload' })).toBeDisabled();
});

test('a file of another kind is refused before a byte is sent', async () => {
  answer('get', '/projects/{project_id}/models', () => page([]));
  visit(MODELS);
  await screen.findByText('No models yet');
  fireEvent.drop(window, { dataTransfer: { types: ['Files'], files: [onnx('model.pkl')] } });
  expect(await screen.findByRole('alert')).toHaveTextContent('“model.pkl” does not end in .onnx');
});

test('a file dropped on a model becomes its next version', async () => {
  const { only } = registry();
  const asked = vi.fn();
  answer('post', '/projects/{project_id}/models/{model_id}/versions', ({ params }) => {
    asked(params['model_id']);
    return json(modelVersion({ id: 'v3', number: 3 }), 201);
  });
  const { user, router } = visit(`${MODELS}/${only.id}`);
  await screen.findByRole('heading', { level: 1, name: 'credit-risk' });
  fireEvent.drop(window, { dataTransfer: { types: ['Files'], files: [onnx()] } });
  await user.click(within(await screen.findByRole('dialog', { name: 'Upload a new version of credit-risk' })).getByRole('button', { name: 'Upload' }));
  await waitFor(() => expect(router.state.location.search).toEqual({ version: 3 }));
  expect(asked).toHaveBeenCalledExactlyOnceWith(only.id);
  expect(screen.queryByRole('dialog')).not.toBeInTheDocument();
});

test('the list tells versions and where a model serves; the page its signature with free dimensions', async () => {
  registry();
  const { user } = visit(MODELS);
  const row = await screen.findByRole('row', { name: /credit-risk/ });
  expect(row).toHaveTextContent('v2 of 2');
  expect(within(row).getByRole('link', { name: /credit v1/ })).toBeInTheDocument();
  await user.click(within(row).getByRole('link', { name: 'credit-risk' }));
  const inputs = await screen.findByRole('table', { name: 'Inputs' });
  expect(within(inputs).getByRole('row', { name: 'features FP32 any × 4' })).toBeInTheDocument();
  expect(document.title).toBe('credit-risk · Default · Headrace');
});

test('another version is one link away, and in the address', async () => {
  const { only } = registry();
  const { user, router } = visit(`${MODELS}/${only.id}`);
  await user.click(await screen.findByRole('link', { name: /Version 1/ }));
  expect(await screen.findByText('aaaa1111')).toBeInTheDocument();
  expect(router.state.location.search).toEqual({ version: 1 });
});

test('deploying makes a deployment and leads to it', async () => {
  const { only } = registry();
  const asked = vi.fn();
  answer('post', '/projects/{project_id}/deployments', async ({ request }) => {
    asked(await request.json());
    return json(deployment({ id: 'd9', name: 'fraud', state: 'pending' }), 201);
  });
  const { user, router } = visit(`${MODELS}/${only.id}`);
  await user.click(await screen.findByRole('button', { name: 'Deploy v2' }));
  const name = screen.getByLabelText('Deployment name');
  await user.clear(name);
  await user.type(name, 'Fraud!');
  expect(name).toHaveAccessibleDescription('Use lower-case letters, digits and hyphens, at most 63 characters.');
  expect(screen.getByRole('button', { name: 'Deploy' })).toBeDisabled();
  await user.clear(name);
  await user.type(name, 'fraud');
  await user.click(screen.getByRole('button', { name: 'Deploy' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical/p/default/deployments/d9'));
  expect(asked).toHaveBeenCalledExactlyOnceWith({ name: 'fraud', model_version_id: 'v2' });
});

test('a deployment can be moved to a version instead, and the dialog says what that does', async () => {
  const { only } = registry();
  const asked = vi.fn();
  answer('patch', '/projects/{project_id}/deployments/{deployment_id}', async ({ request, params }) => {
    asked(params['deployment_id'], await request.json());
    return json(deployment({ id: 'd1' }));
  });
  const { user, router } = visit(`${MODELS}/${only.id}`);
  await user.click(await screen.findByRole('button', { name: 'Deploy v2' }));
  await user.selectOptions(await screen.findByLabelText('Deploy as'), 'd1');
  expect(screen.getByText('Moves credit from credit-risk v1 to credit-risk v2. The old version answers until the new one is ready.')).toBeInTheDocument();
  await user.click(screen.getByRole('button', { name: 'Update deployment' }));
  await waitFor(() => expect(router.state.location.pathname).toBe('/o/analytical/p/default/deployments/d1'));
  expect(asked).toHaveBeenCalledExactlyOnceWith('d1', { model_version_id: 'v2' });
});

test('a model in use is not deleted, and the reason is shown', async () => {
  const { only } = registry();
  answer('delete', '/projects/{project_id}/models/{model_id}', () => problem(409, 'Model in use', 'the deployment "credit" has served it'));
  const { user } = visit(`${MODELS}/${only.id}`);
  await user.click(await screen.findByRole('button', { name: 'Delete model' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByRole('button', { name: 'Delete model' })).toBeDisabled();
  await user.type(dialog.getByRole('textbox'), 'credit-risk');
  await user.click(dialog.getByRole('button', { name: 'Delete model' }));
  expect(await dialog.findByRole('alert')).toHaveTextContent('the deployment "credit" has served it');
});

test('a list that fails offers to try again', async () => {
  answer('get', '/projects/{project_id}/models', () => problem(503, 'Dependency unavailable', 'the database does not answer'));
  const { user } = visit(MODELS);
  const failed = await screen.findByRole('alert');
  expect(failed).toHaveTextContent('the database does not answer');
  registry();
  await user.click(within(failed).getByRole('button', { name: 'Try again' }));
  expect(await screen.findByRole('link', { name: 'credit-risk' })).toBeInTheDocument();
});

test('a model that does not exist is said, with the way back', async () => {
  answer('get', '/projects/{project_id}/models/{model_id}', () => problem(404, 'Model not found', 'no such model'));
  visit(`${MODELS}/nope`);
  expect(await screen.findByRole('heading', { level: 1, name: 'Model not found' })).toBeInTheDocument();
});

test('an address with a bad version shows the latest', async () => {
  const { only } = registry();
  visit(`${MODELS}/${only.id}?version=-4`);
  expect(await screen.findByRole('heading', { level: 2, name: 'Signature of version 2' })).toBeInTheDocument();
});

test('a dialog starts at its first field and gives focus back to its button', async () => {
  const { only } = registry();
  const { user } = visit(`${MODELS}/${only.id}`);
  const button = await screen.findByRole('button', { name: 'Delete model' });
  await user.click(button);
  expect(within(await screen.findByRole('dialog')).getByRole('textbox')).toHaveFocus();
  await user.keyboard('{Escape}');
  await waitFor(() => expect(button).toHaveFocus());
});
