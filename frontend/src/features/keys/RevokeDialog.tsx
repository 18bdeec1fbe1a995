import type { Key } from '@/api/types';
import { ConfirmDialog } from '@/ui/ConfirmDialog';
import { toast } from '@/ui/toast';

import { useRevokeKey } from './queries';

export function RevokeDialog({ projectId, of: key, close }: { projectId: string; of: Key | null; close: () => void }) {
  const revoke = useRevokeKey(projectId);
  if (!key) return null;
  const confirm = async () => {
    await revoke(key);
    toast.success(`${key.name} was revoked`);
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={close}
      title={`Revoke ${key.name}?`}
      effect={
        <>
          Calls with <code className="font-mono text-code break-all">hr_{key.key_id}_…</code> will be refused with 401 within seconds. This cannot be undone; other keys are not affected.
        </>
      }
      action="Revoke key"
      onConfirm={confirm}
    />
  );
}
