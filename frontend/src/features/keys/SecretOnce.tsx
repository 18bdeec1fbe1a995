import { useState } from 'react';

import type { CreatedKey } from '@/api/types';
import { Button } from '@/ui/Button';
import { CodeBlock } from '@/ui/CodeBlock';
import { CopyButton } from '@/ui/CopyButton';
import { DialogActions } from '@/ui/Dialog';
import { Checkbox } from '@/ui/Field';

export function SecretOnce({ created, done }: { created: CreatedKey; done: () => void }) {
  const [stored, setStored] = useState(false);
  return (
    <div className="flex flex-col gap-4">
      <CodeBlock code={created.secret} label={`Secret of ${created.key.name}`} wrap />
      <Checkbox label="I have stored it in a safe place" checked={stored} onChange={(event) => setStored(event.target.checked)} />
      <DialogActions>
        <CopyButton text={created.secret} label="Copy key" withLabel />
        <Button variant="primary" disabled={!stored} title={stored ? undefined : 'Store the key first: it cannot be shown again'} onClick={done}>
          Done
        </Button>
      </DialogActions>
    </div>
  );
}
