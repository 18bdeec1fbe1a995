/** Code that asks for predictions by feature name, with rows that work when pasted. */
import type { Cell, Row } from './rows';
import type { SnippetLanguage, Target } from './snippets';

export type PredictLanguage = Exclude<SnippetLanguage, 'triton'>;
export const PREDICT_LANGUAGES = ['curl', 'python', 'javascript'] as const satisfies readonly PredictLanguage[];

/** Longer lists are made up rather than listed. */
const LISTED_VALUES = 256;

export const predictAddress = ({ inferenceUrl, deployment }: Target): string => `${inferenceUrl}/v1/predict/${encodeURIComponent(deployment)}`;

export const PREDICT_SNIPPETS: Record<PredictLanguage, (target: Target, rows: readonly Row[]) => string> = {
  curl: (target, rows) =>
    [
      'export HEADRACE_API_KEY=…  # your key',
      '',
      `curl -s ${predictAddress(target)} \\`,
      '  -H "Authorization: Bearer $HEADRACE_API_KEY" \\',
      '  -H "Content-Type: application/json" \\',
      `  -d '${formatRows(rows).replaceAll("'", "'\\''")}'`,
    ].join('\n'),
  python: (target, rows) =>
    [
      'import os',
      '',
      'import requests',
      '',
      'rows = [',
      ...rows.map((it) => `    ${pythonRow(it)},`),
      ']',
      'response = requests.post(',
      `    "${predictAddress(target)}",`,
      '    headers={"Authorization": f"Bearer {os.environ[\'HEADRACE_API_KEY\']}"},',
      '    json={"rows": rows},',
      '    timeout=10,',
      ')',
      'response.raise_for_status()',
      'for prediction in response.json()["predictions"]:',
      '    print(prediction)',
    ].join('\n'),
  // For Node 18 and later: a key has no place in a browser.
  javascript: (target, rows) =>
    [
      'const rows = [',
      ...rows.map((it) => `  ${javascriptRow(it)},`),
      '];',
      `const response = await fetch("${predictAddress(target)}", {`,
      '  method: "POST",',
      '  headers: {',
      '    Authorization: `Bearer ${process.env.HEADRACE_API_KEY}`,',
      '    "Content-Type": "application/json",',
      '  },',
      '  body: JSON.stringify({ rows }),',
      '  signal: AbortSignal.timeout(10_000),',
      '});',
      'const answer = await response.json();',
      'if (!response.ok) throw new Error(answer.detail);',
      'for (const prediction of answer.predictions) console.log(prediction);',
    ].join('\n'),
};

const formatRows = (rows: readonly Row[]): string => `{"rows": [\n${rows.map((it) => `    ${JSON.stringify(it)}`).join(',\n')}\n  ]}`;
const isList = (cell: Cell): cell is readonly Cell[] => Array.isArray(cell);
const countValues = (cell: Cell): number => (isList(cell) ? cell.reduce<number>((sum, it) => sum + countValues(it), 0) : 1);
const isLong = (cell: readonly Cell[]): boolean => countValues(cell) > LISTED_VALUES;
const pairs = (row: Row, literal: (cell: Cell) => string): string =>
  Object.entries(row)
    .map(([name, cell]) => `${JSON.stringify(name)}: ${literal(cell)}`)
    .join(', ');

const pythonRow = (row: Row): string => `{${pairs(row, pythonLiteral)}}`;
const javascriptRow = (row: Row): string => `{ ${pairs(row, javascriptLiteral)} }`;

function pythonLiteral(cell: Cell): string {
  if (typeof cell === 'boolean') return cell ? 'True' : 'False';
  if (!isList(cell)) return JSON.stringify(cell);
  if (isLong(cell)) return `[${pythonLiteral(madeUp(cell[0]))}] * ${cell.length}`;
  return `[${cell.map(pythonLiteral).join(', ')}]`;
}

function javascriptLiteral(cell: Cell): string {
  if (!isList(cell) || !isLong(cell)) return JSON.stringify(cell);
  return `Array(${cell.length}).fill(${javascriptLiteral(madeUp(cell[0]))})`;
}

/** What stands for every item of a long list: of the first one's shape. */
function madeUp(first: Cell | undefined): Cell {
  if (first !== undefined && isList(first)) return first.map(madeUp);
  if (typeof first === 'boolean') return false;
  return typeof first === 'string' ? '' : 0;
}
