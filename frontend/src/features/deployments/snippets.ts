/** Code that calls a deployment from outside, with a request that works when pasted. */
import type { InferInput, InferRequest } from './playground/form';
import { formatRequest } from './playground/protocol';

export interface Target {
  /** Base address of the inference API, without a trailing slash. */
  inferenceUrl: string;
  deployment: string;
}

export type SnippetLanguage = 'curl' | 'python' | 'javascript' | 'triton';

/** Beyond this a snippet makes its values up rather than listing them. */
const LISTED_VALUES = 256;

export function curlSnippet({ inferenceUrl, deployment }: Target, request: InferRequest): string {
  return [
    'export HEADRACE_API_KEY=…  # your key',
    '',
    `curl -s ${inferenceUrl}/v2/models/${encodeURIComponent(deployment)}/infer \\`,
    '  -H "Authorization: Bearer $HEADRACE_API_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    `  -d '${formatRequest(request).replaceAll("'", "'\\''")}'`,
  ].join('\n');
}

export function pythonSnippet({ inferenceUrl, deployment }: Target, { inputs }: InferRequest): string {
  return [
    'import os',
    '',
    'import requests',
    '',
    'response = requests.post(',
    `    "${inferenceUrl}/v2/models/${encodeURIComponent(deployment)}/infer",`,
    '    headers={"Authorization": f"Bearer {os.environ[\'HEADRACE_API_KEY\']}"},',
    '    json={',
    '        "inputs": [',
    ...inputs.map((it) => `            {"name": ${literal(it.name)}, "datatype": "${it.datatype}", "shape": ${literal(it.shape)}, "data": ${dataLiteral(it)}},`),
    '        ]',
    '    },',
    '    timeout=10,',
    ')',
    'response.raise_for_status()',
    'for output in response.json()["outputs"]:',
    '    print(output["name"], output["data"])',
  ].join('\n');
}

/** For Node 18 and later: a key has no place in a browser. */
export function javascriptSnippet({ inferenceUrl, deployment }: Target, { inputs }: InferRequest): string {
  return [
    `const response = await fetch("${inferenceUrl}/v2/models/${encodeURIComponent(deployment)}/infer", {`,
    '  method: "POST",',
    '  headers: {',
    '    Authorization: `Bearer ${process.env.HEADRACE_API_KEY}`,',
    '    "Content-Type": "application/json",',
    '  },',
    '  body: JSON.stringify({',
    '    inputs: [',
    ...inputs.map((it) => `      { name: ${JSON.stringify(it.name)}, datatype: "${it.datatype}", shape: ${JSON.stringify(it.shape)}, data: ${javascriptData(it)} },`),
    '    ],',
    '  }),',
    '  signal: AbortSignal.timeout(10_000),',
    '});',
    'const answer = await response.json();',
    'if (!response.ok) throw new Error(answer.error);',
    'for (const output of answer.outputs) console.log(output.name, output.data);',
  ].join('\n');
}

export const SNIPPETS: Record<SnippetLanguage, { label: string; write: (target: Target, request: InferRequest) => string }> = {
  curl: { label: 'curl', write: curlSnippet },
  python: { label: 'Python', write: pythonSnippet },
  javascript: { label: 'JavaScript', write: javascriptSnippet },
  triton: { label: 'tritonclient', write: tritonSnippet },
};
export const LANGUAGES = ['curl', 'python', 'javascript', 'triton'] as const satisfies readonly SnippetLanguage[];

/** The inference address without its trailing slash. */
export const targetOf = (inferenceUrl: string, deployment: string): Target => ({ inferenceUrl: inferenceUrl.replace(/\/$/, ''), deployment });

export function tritonSnippet({ inferenceUrl, deployment }: Target, { inputs }: InferRequest): string {
  const { host, protocol } = new URL(inferenceUrl);
  return [
    '# pip install "tritonclient[http]"',
    'import os',
    '',
    'import numpy as np',
    'import tritonclient.http as triton',
    '',
    `client = triton.InferenceServerClient("${host}"${protocol === 'https:' ? ', ssl=True' : ''})`,
    'arrays = {',
    ...inputs.map((it) => `    ${literal(it.name)}: ("${it.datatype}", ${arrayLiteral(it)}),`),
    '}',
    'inputs = []',
    'for name, (datatype, array) in arrays.items():',
    '    tensor = triton.InferInput(name, array.shape, datatype)',
    '    tensor.set_data_from_numpy(array)',
    '    inputs.append(tensor)',
    '',
    'result = client.infer(',
    `    "${deployment}", inputs, headers={"Authorization": f"Bearer {os.environ['HEADRACE_API_KEY']}"}`,
    ')',
    'for output in result.get_response()["outputs"]:',
    '    print(output["name"], result.as_numpy(output["name"]))',
  ].join('\n');
}

const NUMPY_TYPES: Readonly<Record<string, string>> = {
  BOOL: 'np.bool_',
  BYTES: 'np.object_',
  FP16: 'np.float16',
  FP32: 'np.float32',
  FP64: 'np.float64',
};

const numpyType = (datatype: string): string => NUMPY_TYPES[datatype] ?? `np.${datatype.toLowerCase()}`;

function arrayLiteral({ datatype, shape, data }: InferInput): string {
  const type = numpyType(datatype);
  if (data.length > LISTED_VALUES) return `np.zeros(${tuple(shape)}, dtype=${type})`;
  return `np.array(${literal(data)}, dtype=${type}).reshape(${tuple(shape)})`;
}

const javascriptData = ({ datatype, data }: InferInput): string => (data.length > LISTED_VALUES ? `Array(${data.length}).fill(${JSON.stringify(blankOf(datatype))})` : JSON.stringify(data));
const dataLiteral = ({ datatype, data }: InferInput): string => (data.length > LISTED_VALUES ? `${literal([blankOf(datatype)])} * ${data.length}` : literal(data));
const blankOf = (datatype: string): number | string | boolean => (datatype === 'BOOL' ? false : datatype === 'BYTES' ? '' : 0);
const tuple = (shape: readonly number[]): string => (shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`);

/** A Python literal: JSON, but for the words of its booleans. */
function literal(value: string | readonly (number | string | boolean)[]): string {
  if (typeof value === 'string') return JSON.stringify(value);
  return `[${value.map((it) => (typeof it === 'boolean' ? (it ? 'True' : 'False') : JSON.stringify(it))).join(', ')}]`;
}
