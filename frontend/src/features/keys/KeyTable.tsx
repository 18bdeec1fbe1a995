import type { Key } from '@/api/types';
import { classes } from '@/lib/classes';
import { useNow } from '@/lib/useNow';
import { Button } from '@/ui/Button';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { statusOf } from './status';

const WIDE = 'hidden md:table-cell';

const HEAD = (
  <>
    <Th>Name</Th>
    <Th>Status</Th>
    <Th className={WIDE}>Scopes</Th>
    <Th className={WIDE}>Created</Th>
    <Th className="hidden sm:table-cell">Expires</Th>
    <Th>
      <span className="sr-only">Actions</span>
    </Th>
  </>
);

export const KeyTable = ({ keys, onRevoke }: { keys: Key[]; onRevoke: (key: Key) => void }) => (
  <Table label="API keys" head={HEAD}>
    {keys.map((key) => (
      <KeyRow key={key.id} of={key} onRevoke={() => onRevoke(key)} />
    ))}
  </Table>
);

function KeyRow({ of: key, onRevoke }: { of: Key; onRevoke: () => void }) {
  const status = statusOf(key, useNow());
  return (
    <Tr>
      <Td className="max-w-72">
        <p className="font-medium break-words">{key.name}</p>
        <code className="font-mono text-caption whitespace-nowrap text-subtle">hr_{key.key_id}_…</code>
      </Td>
      <Td>
        <StatusPill tone={status.tone}>{status.word}</StatusPill>
      </Td>
      <Td className={WIDE}>{key.scopes.join(', ')}</Td>
      <Td className={classes(WIDE, 'text-muted')}>
        <RelativeTime time={key.created_at} />
      </Td>
      <Td className="hidden text-muted sm:table-cell">{key.expires_at ? <RelativeTime time={key.expires_at} /> : 'Never'}</Td>
      <Td className="text-right">
        {!key.revoked_at && (
          <Button size="small" variant="ghost" aria-label={`Revoke ${key.name}`} onClick={onRevoke}>
            Revoke
          </Button>
        )}
      </Td>
    </Tr>
  );
}
