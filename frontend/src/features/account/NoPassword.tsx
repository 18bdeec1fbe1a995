import { useMutation } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { messageOf } from '@/api/problem';
import { useMe } from '@/api/session';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { FormProblem } from '@/ui/Field';

/** For who signs in elsewhere: the link that sets a first password. */
export function NoPassword() {
  const { email } = useMe().user;
  const sending = useMutation({ mutationFn: () => call(api.POST('/api/v1/auth/password-reset', { body: { email } })) });
  return (
    <Card title="Password">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p role="status" className="max-w-140 text-body text-muted">
          {sending.isSuccess
            ? `A link is on its way to ${email}. It sets your password, and ends your sessions.`
            : 'You have none: you sign in elsewhere. Turning on two-factor authentication, unlinking a login and deleting the account ask for one.'}
        </p>
        {!sending.isSuccess && (
          <Button busy={sending.isPending} onClick={() => sending.mutate()}>
            Set a password
          </Button>
        )}
      </div>
      <FormProblem message={sending.error ? messageOf(sending.error) : undefined} />
    </Card>
  );
}
