/** Where the time of a trial went: inside the gateway, as it says itself, and on the way there and back. */

export type PartName = 'queue' | 'infer' | 'decode' | 'encode' | 'network';

export interface Timing {
  /** From sending to the decoded answer, as this browser saw it. */
  totalMs: number;
  /** Milliseconds of each part; without what the gateway did not tell. */
  parts: Partial<Record<PartName, number>>;
  /** The answer was kept from an earlier request: no model ran. */
  isFromCache: boolean;
}

export const PARTS: readonly { name: PartName; label: string; note: string; color: `--${string}` }[] = [
  { name: 'decode', label: 'Decode', note: 'reading the request', color: '--series-6' },
  { name: 'queue', label: 'Queue', note: 'waiting for a run', color: '--series-2' },
  { name: 'infer', label: 'Model', note: 'the run itself', color: '--series-1' },
  { name: 'encode', label: 'Encode', note: 'writing the answer', color: '--series-4' },
  { name: 'network', label: 'Network', note: 'from this browser to the gateway and back', color: '--border-strong' },
];

/** `serverTiming` is the header of that name: `queue;dur=0.012, infer;dur=1.3`, in ms. */
export function timingOf(serverTiming: string, totalMs: number, isFromCache: boolean): Timing {
  const parts: Timing['parts'] = {};
  for (const metric of serverTiming.split(',')) {
    const [name, ...fields] = metric.split(';').map((it) => it.trim());
    const part = PARTS.find((it) => it.name === name);
    const duration = Number(fields.find((it) => it.startsWith('dur='))?.slice(4) ?? Number.NaN);
    if (part && Number.isFinite(duration)) parts[part.name] = duration;
  }
  const told = Object.values(parts);
  const inside = told.reduce((sum, it) => sum + it, 0);
  // Two clocks: what is left may come out a little below nothing.
  return { totalMs, isFromCache, parts: told.length === 0 ? parts : { ...parts, network: Math.max(0, totalMs - inside) } };
}
