import { useNavigate, useSearch } from '@tanstack/react-router';
import { KeyRound, Plus } from 'lucide-react';
import { type ComponentProps, type ReactNode, useState } from 'react';

import { useProject } from '@/api/projects';
import type { Key } from '@/api/types';
import { useNow } from '@/lib/useNow';
import { Empty } from '@/ui/Empty';
import { Checkbox } from '@/ui/Field';
import { GuardedButton } from '@/ui/Guarded';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';

import { EditKeyDialog } from './EditKeyDialog';
import { flagsOf, type KeyFlag, parseFlag, callsIn } from './flags';
import { FlagFilter } from './KeyFlags';
import { KeyTable } from './KeyTable';
import { NewKeyDialog } from './NewKeyDialog';
import { useKeys, useKeyUses } from './queries';
import { RevokeDialog } from './RevokeDialog';
import { RotateDialog } from './RotateDialog';
import { statusOf } from './status';

/** The keys that programs call the project's deployments with. */
export function KeysPage() {
  const project = useProject();
  const keys = useKeys(project.id);
  const { data: uses } = useKeyUses(project.id);
  const [creating, setCreating] = useState(false);
  const [editing, setEditing] = useState<Key | null>(null);
  const [rotating, setRotating] = useState<Key | null>(null);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const create = (
    <GuardedButton needs="keys:write" variant="primary" icon={<Plus />} onClick={() => setCreating(true)}>
      Create key
    </GuardedButton>
  );
  return (
    <>
      <PageHeader title="API keys" context={project.name} actions={create}>
        Programs send a key with every call: <code className="font-mono text-code">Authorization: Bearer hr_…</code>
      </PageHeader>
      <Loaded query={keys}>{(items) => (items.length > 0 ? <KeyList keys={items} callsOf={callsIn(uses)} onEdit={setEditing} onRotate={setRotating} onRevoke={setRevoking} /> : <NoKeys action={create} />)}</Loaded>
      <NewKeyDialog projectId={project.id} open={creating} onOpenChange={setCreating} />
      <EditKeyDialog projectId={project.id} of={editing} close={() => setEditing(null)} />
      <RotateDialog projectId={project.id} of={rotating} close={() => setRotating(null)} />
      <RevokeDialog projectId={project.id} of={revoking} close={() => setRevoking(null)} />
    </>
  );
}

function KeyList({ keys, ...actions }: ComponentProps<typeof KeyTable>) {
  const { all = false, flag: asked }: { all?: boolean; flag?: unknown } = useSearch({ strict: false });
  const flag = parseFlag(asked);
  const navigate = useNavigate();
  const set = (change: { all?: true | undefined; flag?: KeyFlag | undefined }) => void navigate({ to: '.', search: (before) => ({ ...before, ...change }), replace: true });
  const now = useNow();
  const working = keys.filter((key) => statusOf(key, now).works);
  const hidden = keys.length - working.length;
  const shown = (all ? keys : working).filter((key) => flag === undefined || flagsOf(key, actions.callsOf(key), now).includes(flag));
  return (
    <div className="flex flex-col gap-3">
      <div>
        <FlagFilter value={flag} onChange={(it) => set({ flag: it })} />
      </div>
      {shown.length > 0 ? (
        <KeyTable keys={shown} {...actions} />
      ) : (
        <Empty icon={<KeyRound />} title={flag ? 'No key matches' : 'No key works any more'}>
          {flag ? 'None of the keys in the list is to be looked at for this.' : 'Every key of this project has been revoked or has expired.'}
        </Empty>
      )}
      {hidden > 0 && (
        <Checkbox
          label={`Show revoked and expired keys (${hidden})`}
          checked={all}
          onChange={(event) => set({ all: event.target.checked || undefined })}
        />
      )}
    </div>
  );
}

const NoKeys = ({ action }: { action: ReactNode }) => (
  <Empty icon={<KeyRound />} title="No keys yet" action={action} command="headrace key create --scope infer">
    A key lets a program call this project's deployments. Make one for each program, so that each can be revoked alone.
  </Empty>
);
