import type { KeyUse } from '@/api/types';
import { formatCompact, plural } from '@/lib/format';
import { RelativeTime } from '@/ui/RelativeTime';

import { UNUSED_DAYS } from './flags';

/** When a key was used last and how much in the last month; a dash where telemetry cannot say. */
export function LastUsed({ use }: { use: KeyUse | null | undefined }) {
  if (use === undefined) return <span title="Not known at the moment">–</span>;
  if (use === null) return <span>Not in {UNUSED_DAYS} days</span>;
  return (
    <>
      <RelativeTime time={use.last_used_at} />
      <p className="text-caption text-subtle">
        {use.requests < 1000 ? plural(use.requests, 'request') : `${formatCompact(use.requests)} requests`} in {UNUSED_DAYS} days
      </p>
    </>
  );
}
