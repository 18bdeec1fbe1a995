import { useState } from 'react';

import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Dialog } from '@/ui/Dialog';

import { usePasswordRefusal } from './password';
import { AskPassword } from './PasswordDialog';
import { useDeleteAccount } from './queries';

/** The way out. */
export function DeleteAccount() {
  const [open, setOpen] = useState(false);
  const deleting = useDeleteAccount();
  const refusal = usePasswordRefusal();
  return (
    <Card title="Delete account">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="max-w-140 text-body text-muted">
          Your account goes for good, and with it every organization that nobody else belongs to: its projects, models, deployments and keys.
        </p>
        <Button variant="danger" refusal={refusal} onClick={() => setOpen(true)}>
          Delete account…
        </Button>
      </div>
      <Dialog open={open} onOpenChange={setOpen} title="Delete your account?" description="Applications that use its keys are refused at once. This cannot be undone.">
        <AskPassword action="Delete account" variant="danger" change={deleting} submit={(password) => deleting.mutate({ password })} close={() => setOpen(false)} />
      </Dialog>
    </Card>
  );
}
