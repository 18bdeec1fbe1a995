import { formatMoment, formatRelative } from '@/lib/format';
import { useNow } from '@/lib/useNow';

/** "3 minutes ago", kept true while the page is open; the exact time on hover. */
export function RelativeTime({ time }: { time: string }) {
  const now = useNow();
  return (
    <time dateTime={time} title={formatMoment(time)} className="whitespace-nowrap">
      {formatRelative(time, new Date(now))}
    </time>
  );
}
