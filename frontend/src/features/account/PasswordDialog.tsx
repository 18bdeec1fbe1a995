import { type FormEvent, useState } from 'react';

import { messageOf } from '@/api/problem';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';

interface PasswordFormProps {
  action: string;
  variant: 'primary' | 'danger';
  /** What the form does, as far as it has got. */
  change: { error: Error | null; isPending: boolean };
  submit: (password: string) => void;
  close: () => void;
}

/** Asks for the password before something changes that a screen left open is not enough for. */
export const PasswordDialog = ({ title, description, ...form }: PasswordFormProps & { title: string; description: string }) => (
  <Dialog open onOpenChange={form.close} title={title} description={description}>
    <AskPassword {...form} />
  </Dialog>
);

export function AskPassword({ action, variant, change, submit, close }: PasswordFormProps) {
  const [password, setPassword] = useState('');
  const go = (event: FormEvent) => {
    event.preventDefault();
    submit(password);
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={go}>
      <Field label="Password">
        {(control) => <PasswordInput {...control} autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />}
      </Field>
      <FormProblem message={change.error ? messageOf(change.error) : undefined} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant={variant} busy={change.isPending} disabled={password === ''}>
          {action}
        </Button>
      </DialogActions>
    </form>
  );
}
