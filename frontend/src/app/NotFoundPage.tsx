import { Compass } from 'lucide-react';

import { LinkButton } from '@/ui/Button';
import { useDocumentTitle } from '@/lib/useDocumentTitle';

export function NotFoundPage() {
  useDocumentTitle('Not found');
  return (
    <div className="mx-auto flex min-h-80 max-w-110 flex-col items-center justify-center gap-4 p-6 text-center">
      <div className="grid size-11 place-items-center rounded-full bg-accent-soft text-accent">
        <Compass aria-hidden className="size-5" />
      </div>
      <div className="flex flex-col gap-1">
        <h1 className="text-title">There is nothing here</h1>
        <p className="text-body text-muted">The address may be mistyped, the thing may have been deleted, or it belongs to an organization that you are not a member of.</p>
      </div>
      <LinkButton to="/" variant="primary">
        Go to your projects
      </LinkButton>
    </div>
  );
}
