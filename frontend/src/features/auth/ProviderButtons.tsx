import { useMutation } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';

import { api, call } from '@/api/client';
import { messageOf } from '@/api/problem';
import { useSystem } from '@/api/system';
import { leave } from '@/lib/leave';
import { Button } from '@/ui/Button';
import { FormProblem } from '@/ui/Field';

import { keepNext } from './next';

/** The ways in that are not by password; nothing where none is configured. */
export function ProviderButtons() {
  const { data: system } = useSystem();
  const { next } = useSearch({ strict: false });
  const starting = useMutation({
    mutationFn: (provider: string) => call(api.POST('/api/v1/auth/oidc/{provider}/start', { params: { path: { provider } } })),
    onSuccess: ({ url }) => {
      keepNext(next);
      leave(url);
    },
  });
  const providers = system?.sign_in_providers ?? [];
  if (providers.length === 0) return null;
  return (
    <div className="flex flex-col gap-3">
      <p className="flex items-center gap-3 text-caption text-muted before:h-px before:flex-1 before:bg-border after:h-px after:flex-1 after:bg-border">or</p>
      {providers.map(({ name, label }) => (
        <Button key={name} className="h-9" icon={<KeyRound aria-hidden />} busy={starting.isPending && starting.variables === name} onClick={() => starting.mutate(name)}>
          Continue with {label}
        </Button>
      ))}
      <FormProblem message={starting.error ? messageOf(starting.error) : undefined} />
    </div>
  );
}
