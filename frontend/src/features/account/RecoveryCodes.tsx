import { useState } from 'react';

import { Button } from '@/ui/Button';
import { CopyButton } from '@/ui/CopyButton';
import { DialogActions } from '@/ui/Dialog';
import { Checkbox } from '@/ui/Field';

/** What lets the reader in without the authenticator; nobody leaves before they are stored. */
export function RecoveryCodes({ codes, done }: { codes: string[]; done: () => void }) {
  const [stored, setStored] = useState(false);
  const text = codes.join('\n');
  return (
    <div className="flex flex-col gap-4">
      <p className="text-body text-muted">Each of these codes lets you in once when the authenticator is lost. They are shown only now.</p>
      <pre className="rounded-control bg-sunken p-3 font-mono text-code">{text}</pre>
      <CopyButton text={text} label="Copy recovery codes" />
      <Checkbox label="I have stored them in a safe place" checked={stored} onChange={(event) => setStored(event.target.checked)} />
      <DialogActions>
        <Button variant="primary" disabled={!stored} onClick={done}>
          Done
        </Button>
      </DialogActions>
    </div>
  );
}
