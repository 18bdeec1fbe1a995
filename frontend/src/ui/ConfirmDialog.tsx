import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';

import { messageOf } from '@/api/problem';

import { Button } from './Button';
import { Dialog, DialogActions } from './Dialog';
import { Field, FormProblem, Input } from './Field';

interface ConfirmDialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** The effect in words: what will be different afterwards, and for whom. */
  effect: ReactNode;
  /** The verb on the button: "Revoke key". */
  action: string;
  /** For what cannot be undone: the name that must be typed first. */
  nameToType?: string;
  /** Does it; a rejection is shown and leaves the dialog open. */
  onConfirm: () => Promise<unknown>;
}

export function ConfirmDialog({ open, onOpenChange, ...rest }: ConfirmDialogProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={rest.title}>
      <ConfirmForm close={() => onOpenChange(false)} {...rest} />
    </Dialog>
  );
}

function ConfirmForm({ close, effect, action, nameToType, onConfirm }: Omit<ConfirmDialogProps, 'open' | 'onOpenChange' | 'title'> & { close: () => void }) {
  const [typed, setTyped] = useState('');
  const doing = useMutation({ mutationFn: onConfirm, onSuccess: close });
  const ready = nameToType === undefined || typed === nameToType;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) doing.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <div className="text-body text-muted">{effect}</div>
      {nameToType !== undefined && (
        <Field label={<>Type <strong className="font-semibold break-all">{nameToType}</strong> to confirm</>}>
          {(control) => <Input {...control} value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />}
        </Field>
      )}
      <FormProblem message={doing.error ? messageOf(doing.error) : undefined} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="danger" busy={doing.isPending} disabled={!ready}>
          {action}
        </Button>
      </DialogActions>
    </form>
  );
}
