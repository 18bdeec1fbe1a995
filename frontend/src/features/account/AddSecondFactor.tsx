import { type FormEvent, useState } from 'react';

import { messageOf } from '@/api/problem';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Input } from '@/ui/Field';

import { AskPassword } from './PasswordDialog';
import { RecoveryCodes } from './RecoveryCodes';
import { useBegin, useConfirm, useRefreshMe } from './secondFactor';

/** Password, then the picture to scan and its first code, then the recovery codes, which are shown this once. */
export function AddSecondFactor({ close }: { close: () => void }) {
  const begin = useBegin();
  const confirm = useConfirm();
  const refresh = useRefreshMe();
  const finish = () => {
    refresh();
    close();
  };
  return (
    <Dialog open onOpenChange={close} title="Turn on two-factor authentication" dismissible={!confirm.isSuccess}>
      {confirm.data ? (
        <RecoveryCodes codes={confirm.data.codes} done={finish} />
      ) : begin.data ? (
        <Scan {...begin.data} confirm={confirm} close={close} />
      ) : (
        <AskPassword action="Go on" variant="primary" change={begin} submit={(password) => begin.mutate({ password })} close={close} />
      )}
    </Dialog>
  );
}

function Scan({ secret, qr, confirm, close }: { secret: string; qr: string; confirm: ReturnType<typeof useConfirm>; close: () => void }) {
  const [code, setCode] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    confirm.mutate({ code });
  };
  return (
    <form className="flex flex-col gap-4" onSubmit={submit}>
      <p className="text-body text-muted">Scan this with your authenticator app, or type its key there, then enter the code it shows.</p>
      <img src={qr} alt="Key to scan" className="size-48 self-center rounded-control" />
      <code className="font-mono text-code break-all">{secret}</code>
      <Field label="Code">{(control) => <Input {...control} value={code} inputMode="numeric" autoComplete="one-time-code" onChange={(event) => setCode(event.target.value)} />}</Field>
      <FormProblem message={confirm.error ? messageOf(confirm.error) : undefined} />
      <DialogActions>
        <Button onClick={close}>Cancel</Button>
        <Button type="submit" variant="primary" busy={confirm.isPending} disabled={code === ''}>
          Turn on
        </Button>
      </DialogActions>
    </form>
  );
}
