import { useState } from 'react';

import type { OwnSession } from '@/api/types';
import { Button } from '@/ui/Button';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { Loaded } from '@/ui/Loaded';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';
import { toast } from '@/ui/toast';

import { deviceName } from './device';
import { useEndSession, useSessions } from './queries';

const HEAD = (
  <>
    <Th>Device</Th>
    <Th>Address</Th>
    <Th>Last used</Th>
    <Th className="hidden sm:table-cell">Signed in</Th>
    <Th>
      <span className="sr-only">Actions</span>
    </Th>
  </>
);

/** Where the reader is signed in. */
export function Sessions() {
  const sessions = useSessions();
  const [ending, setEnding] = useState<OwnSession | null>(null);
  return (
    <section className="flex flex-col gap-3">
      <h2 className="text-section">Where you are signed in</h2>
      <Loaded query={sessions}>
        {(items) => (
          <Table label="Sessions" head={HEAD}>
            {items.map((it) => (
              <SessionRow key={it.id} of={it} onEnd={() => setEnding(it)} />
            ))}
          </Table>
        )}
      </Loaded>
      <EndSession of={ending} close={() => setEnding(null)} />
    </section>
  );
}

function SessionRow({ of: session, onEnd }: { of: OwnSession; onEnd: () => void }) {
  const name = deviceName(session.agent);
  return (
    <Tr>
      <Td className="max-w-72 break-words" title={session.agent}>
        {name} {session.is_current && <StatusPill tone="ok">This one</StatusPill>}
      </Td>
      <Td className="font-mono text-code">{session.address || 'unknown'}</Td>
      <Td className="text-muted">
        <RelativeTime time={session.last_used_at} />
      </Td>
      <Td className="hidden text-muted sm:table-cell">
        <RelativeTime time={session.created_at} />
      </Td>
      <Td className="text-right">
        {!session.is_current && (
          <Button size="small" variant="ghost" aria-label={`End the session of ${name} at ${session.address}`} onClick={onEnd}>
            End
          </Button>
        )}
      </Td>
    </Tr>
  );
}

function EndSession({ of: session, close }: { of: OwnSession | null; close: () => void }) {
  const end = useEndSession();
  if (!session) return null;
  const confirm = async () => {
    await end(session);
    toast.success('The session was ended');
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`End the session of ${deviceName(session.agent)}?`}
      effect="Whoever uses it must log in again. If you do not know it, change your password as well."
      action="End session"
      onConfirm={confirm}
    />
  );
}
