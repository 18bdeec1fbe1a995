import { Link, useParams } from '@tanstack/react-router';

import type { Key, KeyUse } from '@/api/types';
import { classes } from '@/lib/classes';
import { useNow } from '@/lib/useNow';
import { GuardedButton } from '@/ui/Guarded';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { boundWordsOf } from './bounds';
import { flagsOf, type callsIn } from './flags';
import { KeyFlags } from './KeyFlags';
import { LastUsed } from './LastUsed';
import { LimitsView } from './LimitsView';
import { statusOf } from './status';

const WIDE = 'hidden md:table-cell';

const HEAD = (
  <>
    <Th>Name</Th>
    <Th>Status</Th>
    <Th className="hidden sm:table-cell">Limits</Th>
    <Th className={WIDE}>Scopes</Th>
    <Th className={WIDE}>Created</Th>
    <Th className="hidden lg:table-cell">Last used</Th>
    <Th className="hidden sm:table-cell">Expires</Th>
    <Th>
      <span className="sr-only">Actions</span>
    </Th>
  </>
);

interface KeyTableProps {
  keys: Key[];
  callsOf: ReturnType<typeof callsIn>;
  onEdit: (key: Key) => void;
  onRotate: (key: Key) => void;
  onRevoke: (key: Key) => void;
}

export const KeyTable = ({ keys, callsOf, onEdit, onRotate, onRevoke }: KeyTableProps) => (
  <Table label="API keys" head={HEAD}>
    {keys.map((key) => (
      <KeyRow key={key.id} of={key} use={callsOf(key)} onEdit={() => onEdit(key)} onRotate={() => onRotate(key)} onRevoke={() => onRevoke(key)} />
    ))}
  </Table>
);

type KeyRowProps = { of: Key; use: KeyUse | null | undefined } & Record<'onEdit' | 'onRotate' | 'onRevoke', () => void>;

function KeyRow({ of: key, use, onEdit, onRotate, onRevoke }: KeyRowProps) {
  const { org = '', project = '' } = useParams({ strict: false });
  const now = useNow();
  const status = statusOf(key, now);
  return (
    <Tr>
      <Td className="max-w-72">
        <Link to="/o/$org/p/$project/keys/$key" params={{ org, project, key: key.id }} className="link font-medium break-words">
          {key.name}
        </Link>
        <br />
        <code className="font-mono text-caption whitespace-nowrap text-subtle">hr_{key.key_id}_…</code>
        <div className="pt-1 text-caption text-muted sm:hidden">
          <LimitsView of={key} />
        </div>
      </Td>
      <Td>
        <div className="flex flex-wrap gap-1">
          <StatusPill tone={status.tone}>{status.word}</StatusPill>
          <KeyFlags flags={flagsOf(key, use, now).filter((it) => it !== 'rotated')} />
        </div>
        {status.works && key.previous_expires_at && (
          <p className="pt-1 text-caption text-muted">
            Old secret ends <RelativeTime time={key.previous_expires_at} />
            {key.old_secret_used_at && (
              <>
                , last used <RelativeTime time={key.old_secret_used_at} />
              </>
            )}
          </p>
        )}
      </Td>
      <Td className="hidden sm:table-cell">
        <LimitsView of={key} />
      </Td>
      <Td className={WIDE}>
        {key.scopes.join(', ')}
        {boundWordsOf(key).map((it) => (
          <p key={it} className="text-caption text-muted">
            {it}
          </p>
        ))}
      </Td>
      <Td className={classes(WIDE, 'text-muted')}>
        <RelativeTime time={key.created_at} />
        {key.owner && <p className="text-caption">by {key.owner}</p>}
      </Td>
      <Td className="hidden text-muted lg:table-cell">
        <LastUsed use={use} />
      </Td>
      <Td className="hidden text-muted sm:table-cell">{key.expires_at ? <RelativeTime time={key.expires_at} /> : 'Never'}</Td>
      <Td className="text-right">
        {!key.revoked_at && (
          <div className="flex flex-col items-end gap-1 sm:flex-row sm:justify-end">
            <GuardedButton needs="keys:write" size="small" variant="ghost" aria-label={`Edit ${key.name}`} onClick={onEdit}>
              Edit
            </GuardedButton>
            {status.works && (
              <GuardedButton needs="keys:write" size="small" variant="ghost" aria-label={`Rotate ${key.name}`} onClick={onRotate}>
                Rotate
              </GuardedButton>
            )}
            <GuardedButton needs="keys:write" inArchived size="small" variant="ghost" aria-label={`Revoke ${key.name}`} onClick={onRevoke}>
              Revoke
            </GuardedButton>
          </div>
        )}
      </Td>
    </Tr>
  );
}
