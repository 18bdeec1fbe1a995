/** What an administrator should look at: keys that nobody uses, that end soon, or whose old secret still lives. */
import type { Key, KeyUse } from '@/api/types';
import type { Tone } from '@/ui/StatusPill';

import { statusOf } from './status';

export const FLAGS = ['unused', 'expiring', 'rotated'] as const;
export type KeyFlag = (typeof FLAGS)[number];

export const FLAG_WORDS: Record<KeyFlag, { word: string; tone: Tone }> = {
  unused: { word: 'Unused', tone: 'neutral' },
  expiring: { word: 'Expires soon', tone: 'warn' },
  rotated: { word: 'Old secret good', tone: 'info' },
};

const DAY_MS = 86_400_000;
/** Over how many days a key must have done nothing to count as unused. */
export const UNUSED_DAYS = 30;
/** A new key gets some time before anybody is told that it does nothing. */
const GRACE_MS = 7 * DAY_MS;

/** The flags of a key that works; `use` of the last `UNUSED_DAYS` days, undefined while it is not known. */
export function flagsOf(key: Key, use: KeyUse | null | undefined, now: number): KeyFlag[] {
  const status = statusOf(key, now);
  if (!status.works) return [];
  return [
    ...(use === null && now - new Date(key.created_at).getTime() > GRACE_MS ? (['unused'] as const) : []),
    ...(status.word === 'Expires soon' ? (['expiring'] as const) : []),
    ...(key.previous_expires_at ? (['rotated'] as const) : []),
  ];
}

export const parseFlag = (flag: unknown): KeyFlag | undefined => FLAGS.find((it) => it === flag);

/** The use of each key: null where there was none, undefined where nobody knows. */
export const callsIn =
  (uses: readonly KeyUse[] | undefined) =>
  ({ id }: Pick<Key, 'id'>): KeyUse | null | undefined =>
    uses && (uses.find((it) => it.key_id === id) ?? null);
