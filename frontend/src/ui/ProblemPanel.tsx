import { RotateCw, TriangleAlert } from 'lucide-react';

import { ApiError, messageOf } from '@/api/problem';

import { Button } from './Button';
import { CopyButton } from './CopyButton';

/** A part of the page that could not be shown: what happened, and the way to try again. */
export function ProblemPanel({ error, onRetry, retrying = false }: { error: unknown; onRetry?: () => void; retrying?: boolean }) {
  const problem = error instanceof ApiError ? error : null;
  return (
    <section role="alert" className="flex items-start gap-3 rounded-card border border-border bg-surface p-4">
      <TriangleAlert aria-hidden className="mt-0.5 size-5 shrink-0 text-danger" />
      <div className="flex min-w-0 flex-1 flex-col gap-3">
        <div className="flex flex-col gap-1">
          <h2 className="text-label">{problem?.title ?? 'Something went wrong'}</h2>
          <p className="text-body break-words text-muted first-letter:uppercase">{problem?.detail || messageOf(error)}</p>
        </div>
        {onRetry && problem?.status !== 403 && (
          <div>
            <Button size="small" icon={<RotateCw />} busy={retrying} onClick={onRetry}>
              Try again
            </Button>
          </div>
        )}
        {problem?.requestId && (
          <p className="flex items-center gap-1 text-caption text-subtle">
            Request <code className="font-mono break-all">{problem.requestId}</code>
            <CopyButton text={problem.requestId} label="Copy request id" />
          </p>
        )}
      </div>
    </section>
  );
}
