import type { Key } from '@/api/types';
import { classes } from '@/lib/classes';
import { formatCount } from '@/lib/format';

import { wordsOf } from './limits';

/** Quotas used up to here are still nothing to think about. */
const AMPLE = 0.8;

/** A key's limits in plain words, with what was used of its quota today. */
export function LimitsView({ of: { limits, requests_today: used } }: { of: Key }) {
  const words = wordsOf(limits);
  const quota = limits.requests_per_day;
  if (words.length === 0 && !quota) return <p className="text-subtle">No limits</p>;
  return (
    <div className="flex flex-col gap-1">
      {words.map((it) => (
        <p key={it} className="whitespace-nowrap">
          {it}
        </p>
      ))}
      {quota && <Quota quota={quota} used={used ?? null} />}
    </div>
  );
}

function Quota({ quota, used }: { quota: number; used: number | null }) {
  if (used === null) return <p className="whitespace-nowrap">{formatCount(quota)} a day</p>;
  const share = Math.min(1, used / quota);
  return (
    <div className="flex max-w-56 flex-col gap-1">
      <p className={classes('whitespace-nowrap', share >= 1 && 'text-danger')}>
        {formatCount(used)} of {formatCount(quota)} today
      </p>
      <div aria-hidden className="h-1 overflow-hidden rounded-full bg-border">
        <div className={classes('h-full rounded-full', share >= 1 ? 'bg-danger' : share >= AMPLE ? 'bg-warn' : 'bg-accent')} style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}
