import { useQueryClient } from '@tanstack/react-query';
import { CloudOff } from 'lucide-react';
import { useEffect, useRef } from 'react';

import { useConnection } from '@/api/connection';
import { formatClock } from '@/lib/format';

/** Says that what is on the page may be old, and refreshes it when the server is back. */
export function ConnectionBanner() {
  const connection = useConnection();
  const queryClient = useQueryClient();
  const wasOffline = useRef(false);
  useEffect(() => {
    if (connection.online && wasOffline.current) void queryClient.refetchQueries({ type: 'active' });
    wasOffline.current = !connection.online;
  }, [connection.online, queryClient]);
  return (
    <div role="status">
      {!connection.online && (
        <p className="flex items-center gap-2 border-b border-border bg-warn-soft px-4 py-2 text-body text-warn">
          <CloudOff aria-hidden className="size-4 shrink-0" />
          Headrace has not answered since {formatClock(connection.since)}. What you see may be out of date; changes cannot be saved until it is back.
        </p>
      )}
    </div>
  );
}
