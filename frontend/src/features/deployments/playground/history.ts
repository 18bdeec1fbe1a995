/** The requests that were last sent from the playground of a deployment, kept in this browser. */
import * as z from 'zod/mini';

import { drop, keep, kept } from '@/lib/kept';

import { parseJson } from './protocol';

const sent = z.object({
  /** When, ISO 8601. */
  at: z.string(),
  /** The request as JSON text. */
  text: z.string(),
  /** The round trip; null if it was refused. */
  ms: z.nullable(z.number()),
  /** Why it was refused; null if it was answered. */
  fault: z.nullable(z.string()),
});
export type Sent = z.infer<typeof sent>;

const MOST_REQUESTS = 50;
/** Characters of one request, and of them all: a browser gives a site some 5 million, for every deployment together. */
const LONGEST_REQUEST = 64_000;
const LONGEST_HISTORY = 400_000;

const nameOf = (place: string): string => `requests.${place}`;

/** Newest first. `place` tells people and deployments apart. */
export function readHistory(place: string): Sent[] {
  const json = parseJson(kept(nameOf(place)) ?? '[]');
  const items = json.ok ? z.array(sent).safeParse(json.value) : null;
  return items?.success ? items.data : [];
}

/** Puts a request first; one of the same text moves there. The oldest make room. False if it could not be kept. */
export function addToHistory(place: string, added: Sent): boolean {
  if (added.text.length > LONGEST_REQUEST) return false;
  const items = [added, ...readHistory(place).filter((it) => it.text !== added.text)];
  return keep(nameOf(place), JSON.stringify(withinBounds(items)));
}

export const clearHistory = (place: string): void => drop(nameOf(place));

function withinBounds(items: readonly Sent[]): Sent[] {
  let room = LONGEST_HISTORY;
  return items.slice(0, MOST_REQUESTS).filter(({ text }) => (room -= text.length) >= 0);
}
