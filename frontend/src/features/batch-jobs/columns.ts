/** Which columns a file must have for a model, as the server finds them. */
import type { ModelVersion } from '@/api/types';

const FEATURES_KEY = 'headrace.features';

export interface ExpectedColumn {
  /** One name, or the first of several with what stands between: "x_0 … x_9". */
  name: string;
  /** What a cell holds: "FP32", "FP32 list of 3 × 224 × 224". */
  holds: string;
}

/** The columns, and the beginning of a CSV file that has them. */
export function expectedColumns({ inputs, metadata }: ModelVersion): { columns: ExpectedColumn[]; example: string } {
  const features = inputs.length === 1 ? featureNames(metadata) : [];
  const hasRowAxis = inputs.every(({ shape: [first] }) => first === -1 || first === 1);
  const groups = inputs.map((input) => {
    const shape = hasRowAxis ? input.shape.slice(1) : input.shape;
    return { input, shape, names: namesOf(input.name, shape, features) };
  });
  const columns = groups.flatMap(({ input, shape, names }) => (names ? summarize(names, input.datatype) : [{ name: input.name, holds: `${input.datatype} list of ${shape.map(sizeWord).join(' × ')}` }]));
  const example = groups.flatMap(({ input, names }) => names ?? [input.name]);
  return { columns, example: example.length > SHOWN ? `${example.slice(0, SHOWN).join(',')},…` : example.join(',') };
}

const SHOWN = 6;

/** The columns of single values that an input is made of; null if it is one column of lists. */
function namesOf(input: string, shape: readonly number[], features: readonly string[]): readonly string[] | null {
  const [size] = shape;
  if (size === undefined) return features.length === 1 ? features : [input];
  if (shape.length > 1 || size < 1) return null;
  if (features.length === size) return features;
  return size === 1 ? [input] : Array.from({ length: size }, (_, index) => `${input}_${index}`);
}

const sizeWord = (size: number): string => (size === -1 ? 'any' : String(size));

function summarize(names: readonly string[], holds: string): ExpectedColumn[] {
  if (names.length <= SHOWN) return names.map((name) => ({ name, holds }));
  return [{ name: `${names[0]} … ${names.at(-1)}`, holds: `${holds}, ${names.length} columns` }];
}

function featureNames(metadata: Record<string, string>): string[] {
  try {
    const found: unknown = JSON.parse(metadata[FEATURES_KEY] ?? '[]');
    return Array.isArray(found) ? found.map(nameOf) : [];
  } catch {
    return [];
  }
}

const nameOf = (feature: unknown): string => (typeof feature === 'object' && feature !== null && 'name' in feature ? String(feature.name) : String(feature));
