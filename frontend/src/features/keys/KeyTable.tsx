import type { Key } from '@/api/types';
import { useNow } from '@/lib/useNow';
import { Button } from '@/ui/Button';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { statusOf } from './status';

const HEAD = (
  <>
    <Th>Name</Th>
    <Th>Key</Th>
    <Th>May</Th>
    <Th>Status</Th>
    <Th>Created</Th>
    <Th>Expires</Th>
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
      <Td className="max-w-64 min-w-32 font-medium break-words">{key.name}</Td>
      <Td>
        <code className="font-mono text-caption whitespace-nowrap text-muted">hr_{key.key_id}_…</code>
      </Td>
      <Td>{key.scopes.join(', ')}</Td>
      <Td>
        <StatusPill tone={status.tone}>{status.word}</StatusPill>
      </Td>
      <Td className="text-muted">
        <RelativeTime time={key.created_at} />
      </Td>
      <Td className="text-muted">{key.expires_at ? <RelativeTime time={key.expires_at} /> : 'Never'}</Td>
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
