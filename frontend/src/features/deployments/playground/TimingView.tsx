import { formatMicroseconds } from '@/lib/format';

import { PARTS, type Timing } from './timing';

/** Where the time of one request went: a bar of its parts, and each in words. */
export function TimingView({ timing: { totalMs, parts, isFromCache } }: { timing: Timing }) {
  const told = PARTS.flatMap((part) => {
    const ms = parts[part.name];
    return ms === undefined ? [] : [{ ...part, ms }];
  });
  return (
    <div className="flex flex-col gap-2">
      <p className="text-caption text-subtle tabular-nums">
        Answered {isFromCache && 'from the cache '}in {formatMicroseconds(totalMs * 1000)}, the way from this browser and back included
      </p>
      {told.length > 0 && (
        <>
          <div aria-hidden className="flex h-2 gap-px overflow-hidden rounded-full bg-sunken">
            {told.map(({ name, color, ms }) => (
              <span key={name} style={{ background: `var(${color})`, flexGrow: Math.max(ms, totalMs / 200) }} />
            ))}
          </div>
          <dl aria-label="Where the time went" className="flex flex-wrap gap-x-4 gap-y-1 text-caption">
            {told.map(({ name, label, note, color, ms }) => (
              <div key={name} title={note} className="flex items-center gap-1.5">
                <span aria-hidden className="size-2 rounded-full" style={{ background: `var(${color})` }} />
                <dt className="text-muted">{label}</dt>
                <dd className="tabular-nums">{formatMicroseconds(ms * 1000)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </div>
  );
}
