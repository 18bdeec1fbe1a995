import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';

import { PageHeader } from '@/ui/PageHeader';
import { ProblemPanel } from '@/ui/ProblemPanel';

/** A page that could not be loaded or drawn; the shell around it stays. */
export function RouteProblem({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <div className="mx-auto flex w-full max-w-180 flex-col gap-6 p-4 sm:p-6">
      <PageHeader title="This page could not be shown" />
      <ProblemPanel error={error} onRetry={retry} />
    </div>
  );
}
