/** Reading what comes from outside: request text, an answer, and the hints a model file carries in its metadata. */
import * as z from 'zod/mini';

import type { InferRequest } from './form';
import type { Parsed, Value } from './values';

const scalar = z.union([z.number(), z.string(), z.boolean()]);
/** The protocol allows nested lists; they are the same values in the same order. */
const data = z.pipe(
  z.array(z.unknown()),
  z.transform((items): unknown[] => items.flat(Infinity)),
);
const tensor = {
  name: z.string(),
  datatype: z.string(),
  shape: z.array(z.int().check(z.nonnegative())),
  data: z.pipe(data, z.array(scalar)),
};
const inferRequest = z.object({ inputs: z.array(z.object(tensor)) });
/** A NaN or infinity arrives as null: JSON has no word for it. */
const inferAnswer = z.object({
  model_version: z.optional(z.string()),
  id: z.optional(z.string()),
  outputs: z.array(z.object({ ...tensor, data: z.pipe(data, z.array(z.nullable(scalar))) })),
});
const labelList = z.array(z.coerce.string());

export type InferAnswer = z.infer<typeof inferAnswer>;
export type InferOutput = InferAnswer['outputs'][number];
export type Cell = Value | null;

export function parseRequest(text: string): Parsed<InferRequest> {
  const json = parseJson(text);
  if (!json.ok) return json;
  const result = inferRequest.safeParse(json.value);
  return result.success ? { ok: true, value: result.data } : { ok: false, fault: faultOf(result.error, 'inputs') };
}

export function parseAnswer(body: unknown): Parsed<InferAnswer> {
  const result = inferAnswer.safeParse(body);
  return result.success ? { ok: true, value: result.data } : { ok: false, fault: faultOf(result.error, 'outputs') };
}

export function parseJson(text: string): Parsed<unknown> {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, fault: error instanceof Error ? error.message : String(error) };
  }
}

function faultOf(error: z.core.$ZodError, whole: string): string {
  const issue = error.issues[0];
  return `${issue?.path.join('.') || whole}: ${issue?.message ?? 'not as the protocol says'}`;
}

type Metadata = Readonly<Record<string, string>>;

/** The working example that a model file carries, or null. */
export function exampleOf(metadata: Metadata): InferRequest | null {
  const text = metadata['headrace.example'];
  const parsed = text ? parseRequest(`{"inputs":${text}}`) : null;
  return parsed?.ok && parsed.value.inputs.length > 0 ? parsed.value : null;
}

/** The names of the model's classes, in order, or none. */
export function labelsOf(metadata: Metadata): readonly string[] {
  const parsed = parseJson(metadata['headrace.labels'] ?? '[]');
  const labels = parsed.ok ? labelList.safeParse(parsed.value) : null;
  return labels?.success ? labels.data : [];
}

/** A request as JSON text for people: one line an input. */
export function formatRequest({ inputs }: InferRequest): string {
  return `{\n  "inputs": [\n${inputs.map((it) => `    ${JSON.stringify(it)}`).join(',\n')}\n  ]\n}`;
}

/** An answer as JSON text for people: short lists on one line. */
export const formatAnswer = (body: unknown): string => JSON.stringify(body, null, 2).replaceAll(/\[[^[\]{}]*\]/g, (list) => list.replaceAll(/\s+/g, ' '));
