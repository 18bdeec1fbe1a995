import { useMutation } from '@tanstack/react-query';

import { api, call } from '@/api/client';
import { messageOf } from '@/api/problem';
import { Button } from '@/ui/Button';

/** An address that nobody has confirmed yet, and the way to do so. */
export function UnverifiedEmail() {
  const sending = useMutation({ mutationFn: () => call(api.POST('/api/v1/me/verification')) });
  return (
    <div role="status" className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-control bg-warn-soft px-3 py-2 text-body text-warn">
      <span className="min-w-0 flex-1">{said(sending)}</span>
      {!sending.isSuccess && (
        <Button size="small" busy={sending.isPending} onClick={() => sending.mutate()}>
          Send the link
        </Button>
      )}
    </div>
  );
}

function said({ error, isSuccess }: { error: Error | null; isSuccess: boolean }): string {
  if (error) return messageOf(error);
  return isSuccess ? 'A link is on its way to you. Open it to confirm your address.' : 'Your address is not confirmed yet. A link by mail does it.';
}
