import { type FormEvent, useState } from 'react';

import { messageOf } from '@/api/problem';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';

import { useDeleteAccount } from './queries';

/** The way out. */
export function DeleteAccount() {
  const [open, setOpen] = useState(false);
  return (
    <Card title="Delete account">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="max-w-140 text-body text-muted">
          Your account goes for good, and with it every organization that nobody else belongs to: its projects, models, deployments and keys.
        </p>
        <Button variant="danger" onClick={() => setOpen(true)}>
          Delete account…
        </Button>
      </div>
      <Dialog open={open} onOpenChange={setOpen} title="Delete your account?" description="Applications that use its keys are refused at once. This cannot be undone.">
        <DeletionForm close={() => setOpen(false)} />
      </Dialog>
    </Card>
  );
}

function DeletionForm({ close }: { close: () => void }) {
  const [password, setPassword] = useState('');
  const deleting = useDeleteAccount();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    deleting.mutate({ password });
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      <Field label="Password">
        {(control) => <PasswordInput {...control} autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />}
      </Field>
      <FormProblem message={deleting.error ? messageOf(deleting.error) : undefined} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="danger" busy={deleting.isPending} disabled={password === ''}>
          Delete account
        </Button>
      </DialogActions>
    </form>
  );
}
