import { type ReactNode, useState } from 'react';

import { useSystem } from '@/api/system';
import type { Identity } from '@/api/types';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Loaded } from '@/ui/Loaded';
import { RelativeTime } from '@/ui/RelativeTime';

import { PasswordDialog } from './PasswordDialog';
import { usePasswordRefusal } from './password';
import { useIdentities, useLink, useUnlink } from './signIns';

type Change = { kind: 'link'; name: string; label: string } | { kind: 'unlink'; identity: Identity };

/** Logins elsewhere that open the account; nothing where there are none to link. */
export function SignIns() {
  const refusal = usePasswordRefusal();
  const { data: system } = useSystem();
  const identities = useIdentities();
  const [change, setChange] = useState<Change | null>(null);
  const providers = system?.sign_in_providers ?? [];
  if (providers.length === 0 && !identities.data?.length) return null;
  return (
    <Card title="Sign in elsewhere">
      <Loaded query={identities}>
        {(items) => (
          <ul className="flex flex-col divide-y divide-border">
            {items.map((it) => (
              <LinkedRow key={it.id} of={it} refusal={refusal} unlink={() => setChange({ kind: 'unlink', identity: it })} />
            ))}
            {providers
              .filter(({ label }) => !items.some((it) => it.label === label))
              .map(({ name, label }) => (
                <Row key={name} title={label} text="Not linked">
                  <Button refusal={refusal} onClick={() => setChange({ kind: 'link', name, label })}>Link {label}…</Button>
                </Row>
              ))}
          </ul>
        )}
      </Loaded>
      {change?.kind === 'link' && <Link {...change} close={() => setChange(null)} />}
      {change?.kind === 'unlink' && <Unlink of={change.identity} close={() => setChange(null)} />}
    </Card>
  );
}

function Row({ title, text, children }: { title: string; text: ReactNode; children: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-3 py-3 first:pt-0 last:pb-0">
      <div className="min-w-0">
        <p className="text-label break-words">{title}</p>
        <p className="text-body break-words text-muted">{text}</p>
      </div>
      {children}
    </li>
  );
}

function LinkedRow({ of: { label, email, last_used_at: used }, refusal, unlink }: { of: Identity; refusal: string | undefined; unlink: () => void }) {
  const last = used ? (
    <>
      last used <RelativeTime time={used} />
    </>
  ) : (
    'not used yet'
  );
  return (
    <Row
      title={label}
      text={
        <>
          {email ?? 'Linked'}, {last}
        </>
      }
    >
      <Button aria-label={`Unlink ${label}`} refusal={refusal} onClick={unlink}>
        Unlink…
      </Button>
    </Row>
  );
}

function Link({ name, label, close }: { name: string; label: string; close: () => void }) {
  const link = useLink();
  return (
    <PasswordDialog
      title={`Link your login at ${label}`}
      description="You log in there once, and from then on it opens this account."
      action="Go on"
      variant="primary"
      change={link}
      submit={(password) => link.mutate({ provider: name, password })}
      close={close}
    />
  );
}

function Unlink({ of: { id, label }, close }: { of: Identity; close: () => void }) {
  const unlink = useUnlink(id);
  return (
    <PasswordDialog
      title={`Unlink ${label}?`}
      description="From then on you log in by your password."
      action="Unlink"
      variant="danger"
      change={unlink}
      submit={(password) => unlink.mutate({ password }, { onSuccess: close })}
      close={close}
    />
  );
}
