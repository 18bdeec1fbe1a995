// Fails the build when what the first page or any lazy page must load has grown over its limit (gzip, kB of 1000 bytes).
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const INITIAL_JS_KB = 170;
const LAZY_JS_KB = 90;
const CSS_KB = 25;

const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('.vite/manifest.json', dist), 'utf8'));

const sizeOf = async (file) => gzipSync(await readFile(new URL(file, dist)), { level: 9 }).length / 1000;

function staticClosure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) staticClosure(next, seen);
  return seen;
}

async function total(keys, pick) {
  const files = new Set([...keys].flatMap((key) => pick(manifest[key])));
  return (await Promise.all([...files].map(sizeOf))).reduce((sum, size) => sum + size, 0);
}

const scripts = (chunk) => [chunk.file];
const styles = (chunk) => chunk.css ?? [];
const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const initial = staticClosure(entry);

const rows = [
  ['initial JS', await total(initial, scripts), INITIAL_JS_KB],
  ['initial CSS', await total(initial, styles), CSS_KB],
];
for (const key of Object.keys(manifest).filter((it) => manifest[it].isDynamicEntry)) {
  const own = [...staticClosure(key)].filter((it) => !initial.has(it));
  rows.push([key, await total(own, scripts), LAZY_JS_KB]);
}

let failed = false;
for (const [name, size, limit] of rows) {
  const over = size > limit;
  failed ||= over;
  console.log(`${over ? 'OVER' : '  ok'} ${size.toFixed(1).padStart(6)} of ${limit} kB  ${name}`);
}
process.exit(failed ? 1 : 0);
