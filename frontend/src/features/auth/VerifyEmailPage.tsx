import { useMutation } from '@tanstack/react-query';
import { Link, useLocation } from '@tanstack/react-router';

import { api, call } from '@/api/client';
import { messageOf } from '@/api/problem';
import { Button } from '@/ui/Button';
import { FormProblem } from '@/ui/Field';

import { AuthLayout } from './AuthLayout';

/** Where the link of the mail leads. A button confirms: mail scanners open links, but press nothing. */
export function VerifyEmailPage() {
  const token = useLocation({ select: (location) => location.hash });
  const verifying = useMutation({ mutationFn: () => call(api.POST('/api/v1/auth/verify-email', { body: { token } })) });
  const footer = (
    <Link to="/" className="link">
      Go to Headrace
    </Link>
  );
  return (
    <AuthLayout title="Confirm your address" subtitle="So that we know that mail to it reaches you." footer={footer}>
      {verifying.isSuccess ? (
        <p role="status" className="text-body">
          Thank you: your address is confirmed.
        </p>
      ) : (
        <div className="flex flex-col gap-4">
          <FormProblem message={verifying.error ? messageOf(verifying.error) : undefined} />
          <Button variant="primary" className="h-9" busy={verifying.isPending} onClick={() => verifying.mutate()}>
            Confirm
          </Button>
        </div>
      )}
    </AuthLayout>
  );
}
