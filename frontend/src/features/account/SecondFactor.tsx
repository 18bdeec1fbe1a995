import { type ComponentType, useState } from 'react';

import { useMe } from '@/api/session';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { StatusPill } from '@/ui/StatusPill';

import { AddSecondFactor } from './AddSecondFactor';
import { usePasswordRefusal } from './password';
import { RemoveSecondFactor } from './RemoveSecondFactor';
import { ReplaceRecoveryCodes } from './ReplaceRecoveryCodes';

type Change = ComponentType<{ close: () => void }>;

/** Whether a login takes more than the password. */
export function SecondFactor() {
  const { has_second_factor: isOn } = useMe();
  const refusal = usePasswordRefusal();
  const [Open, setOpen] = useState<Change | null>(null);
  return (
    <Card title="Two-factor authentication" actions={<StatusPill tone={isOn ? 'ok' : 'neutral'}>{isOn ? 'On' : 'Off'}</StatusPill>}>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="max-w-140 text-body text-muted">
          {isOn ? 'Logging in takes a code of your authenticator app, or a recovery code.' : 'With an authenticator app, your password alone does not let anybody in.'}
        </p>
        <div className="flex flex-wrap gap-2">
          {isOn && <Button refusal={refusal} onClick={() => setOpen(() => ReplaceRecoveryCodes)}>New recovery codes…</Button>}
          <Button refusal={refusal} onClick={() => setOpen(() => (isOn ? RemoveSecondFactor : AddSecondFactor))}>{isOn ? 'Turn off…' : 'Turn on…'}</Button>
        </div>
      </div>
      {Open && <Open close={() => setOpen(null)} />}
    </Card>
  );
}
