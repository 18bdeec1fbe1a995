import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { ApiError, messageOf } from '@/api/problem';

import { Button } from './Button';
import { ProblemPanel } from './ProblemPanel';
import { RelativeTime } from './RelativeTime';
import { RowsSkeleton } from './Skeleton';

interface LoadedProps<T> {
  /** The result of `useQuery`, or of `useInfiniteQuery` over a list. */
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'isPending' | 'isFetching' | 'dataUpdatedAt'> & { refetch: () => Promise<unknown> };
  /** The shape of what is on its way. */
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

/** The states of a query: on its way, failed with a way to retry, shown, or shown although the last refresh failed, unless it may not be seen any more. */
export function Loaded<T>({ query, skeleton = <RowsSkeleton />, children }: LoadedProps<T>) {
  const { data, error, isPending, isFetching, refetch, dataUpdatedAt } = query;
  if (isPending) return skeleton;
  const isRefused = error instanceof ApiError && (error.status === 403 || error.status === 404);
  if (data === undefined || isRefused) return <ProblemPanel error={error} retrying={isFetching} onRetry={() => void refetch()} />;
  return (
    <div className="relative">
      {error && (
        <div role="status" className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-control bg-warn-soft px-3 py-2 text-body text-warn">
          <span className="min-w-0 flex-1">
            Shown as of <RelativeTime time={new Date(dataUpdatedAt).toISOString()} />: {messageOf(error)}
          </span>
          <Button size="small" busy={isFetching} onClick={() => void refetch()}>
            Try again
          </Button>
        </div>
      )}
      {children(data)}
    </div>
  );
}
