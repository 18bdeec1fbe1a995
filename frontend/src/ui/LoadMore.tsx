import { plural } from '@/lib/format';

import { Button } from './Button';

interface LoadMoreProps {
  query: { data: readonly unknown[] | undefined; hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
  /** What the list holds: "model". */
  of: string;
}

/** Below a list: how much of it is shown, and the rest on demand. */
export const LoadMore = ({ query: { data, hasNextPage, isFetchingNextPage, fetchNextPage }, of }: LoadMoreProps) => (
  <p className="mt-3 flex items-center gap-3 text-caption text-subtle">
    {hasNextPage ? `First ${plural(data?.length ?? 0, of)}` : plural(data?.length ?? 0, of)}
    {hasNextPage && (
      <Button size="small" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        Load more
      </Button>
    )}
  </p>
);
