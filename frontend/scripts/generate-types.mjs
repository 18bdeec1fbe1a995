// Generates src/api/schema.d.ts from an OpenAPI document: `npm run types -- path/to/openapi.json [--check]`.
// With --check nothing is written and a stale file is an error.
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const [source, ...flags] = process.argv.slice(2);
if (!source) {
  console.error('usage: npm run types -- path/to/openapi.json [--check]');
  process.exit(2);
}

const target = new URL('../src/api/schema.d.ts', import.meta.url);
const notice = '// Generated from the control plane\'s OpenAPI document by `make types`; do not edit.\n\n';
const text = notice + astToString(await openapiTS(pathToFileURL(resolve(source))));

if (flags.includes('--check')) {
  if ((await readFile(target, 'utf8')) !== text) {
    console.error('src/api/schema.d.ts is stale: run `make types` and commit the result');
    process.exit(1);
  }
} else {
  await writeFile(target, text);
}
