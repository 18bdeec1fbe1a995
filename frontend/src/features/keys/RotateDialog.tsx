import { useState } from 'react';

import { refusalOf } from '@/api/problem';
import type { Key } from '@/api/types';
import { Button } from '@/ui/Button';
import { Dialog, DialogActions } from '@/ui/Dialog';
import { Field, FormProblem, Select } from '@/ui/Field';

import { useRotateKey } from './queries';
import { SecretOnce } from './SecretOnce';

interface RotateDialogProps {
  projectId: string;
  of: Key | null;
  close: () => void;
}

const OVERLAPS = [
  { seconds: 3600, label: '1 hour' },
  { seconds: 86_400, label: '1 day' },
  { seconds: 7 * 86_400, label: '7 days' },
  { seconds: 30 * 86_400, label: '30 days' },
  { seconds: 0, label: 'Not at all: refuse it now' },
];

/** Gives a key a new secret and shows it for the only time; while it is shown the dialog closes only on purpose. */
export const RotateDialog = ({ of: key, ...rest }: RotateDialogProps) => (key ? <OpenDialog key={key.id} of={key} {...rest} /> : null);

function OpenDialog({ projectId, of: key, close }: RotateDialogProps & { of: Key }) {
  const rotating = useRotateKey(projectId);
  const [overlap, setOverlap] = useState('86400');
  if (rotating.data) {
    return (
      <Dialog open onOpenChange={close} dismissible={false} title="Store the new key now" description="This is the only time it is shown. Gateways take it within a second.">
        <SecretOnce created={rotating.data} done={close} />
      </Dialog>
    );
  }
  return (
    <Dialog open onOpenChange={close} title={`Rotate ${key.name}`} description="The key gets a new secret. Its name, its limits and what it is for stay.">
      <div className="flex flex-col gap-4">
        <Field
          label="The old secret stays good for"
          hint={key.previous_expires_at ? 'The secret before that, which is good still, is refused from now on.' : 'Time to give the new one to the programs that use it.'}
        >
          {(control) => (
            <Select {...control} value={overlap} onChange={(event) => setOverlap(event.target.value)}>
              {OVERLAPS.map(({ seconds, label }) => (
                <option key={label} value={seconds}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <FormProblem message={refusalOf(rotating.error, []).message} />
        <DialogActions>
          <Button onClick={close}>Cancel</Button>
          <Button variant="primary" busy={rotating.isPending} onClick={() => rotating.mutate({ key, overlapSeconds: Number(overlap) })}>
            Rotate key
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}
