// Holds the arrows of the console: app → features → ui | charts | api | lib, and no feature imports another.
import { readdir, readFile } from 'node:fs/promises';
import { relative, resolve, dirname } from 'node:path';

const root = resolve(import.meta.dirname, '../src');
const layers = {
  app: ['app', 'features', 'ui', 'charts', 'api', 'lib'],
  features: ['ui', 'charts', 'api', 'lib', 'test'],
  charts: ['charts', 'ui', 'lib'],
  ui: ['ui', 'api', 'lib'],
  api: ['api', 'lib'],
  lib: ['lib'],
};

const files = (await readdir(root, { recursive: true })).filter((name) => /\.tsx?$/.test(name));
const faults = [];

for (const file of files) {
  const from = place(file);
  if (!(from.layer in layers)) continue;
  const isTest = /\.test\.tsx?$/.test(file);
  const source = await readFile(resolve(root, file), 'utf8');
  for (const [, target] of source.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+|@\/[^']+)'/g)) {
    const path = target.startsWith('@/') ? target.slice(2) : relative(root, resolve(root, dirname(file), target));
    const to = place(path);
    const sameFeature = to.layer === 'features' && from.layer === 'features' && to.feature === from.feature;
    // A test may render the whole application: it acts as a user on its routes.
    const allowed = sameFeature || layers[from.layer].includes(to.layer) || (isTest && ['app', 'test'].includes(to.layer));
    if (!allowed) faults.push(`src/${file} must not import ${target}`);
  }
}

function place(path) {
  const [layer, feature] = path.split('/');
  return { layer, feature };
}

if (files.length === 0) faults.push('no source files found: is this script in frontend/scripts?');
for (const fault of faults) console.error(fault);
process.exit(faults.length > 0 ? 1 : 0);
