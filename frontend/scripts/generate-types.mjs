// Generates src/api/schema.d.ts from openapi.json, which `make types` takes from the control plane.
// With --check nothing is written and a stale file is an error.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const source = new URL('../openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);
const notice = '// Generated from the control plane\'s OpenAPI document by `make types`; do not edit.\n\n';
const text = notice + astToString(await openapiTS(source, { defaultNonNullable: false }));

if (process.argv.includes('--check')) {
  if ((await readFile(target, 'utf8')) !== text) {
    console.error('src/api/schema.d.ts is stale: run `make types` and commit the result');
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
