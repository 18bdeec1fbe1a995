import { classes } from '@/lib/classes';

/** A grey shape where something will be; it appears only when the wait is longer than 150 ms. */
export const Skeleton = ({ className }: { className?: string }) => <div aria-hidden className={classes('animate-skeleton rounded-control bg-border/70', className)} />;

const Loading = () => (
  <span role="status" className="sr-only">
    Loading
  </span>
);

/** The shape of a table that is on its way. */
export function RowsSkeleton({ rows = 5 }: { rows?: number }) {
  return (
    <div className="animate-late rounded-card border border-border bg-surface">
      <Loading />
      <div className="h-9 rounded-t-card border-b border-border bg-sunken" />
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex h-11 items-center gap-6 border-b border-border px-4 last:border-0">
          <Skeleton className="h-3 w-1/4" />
          <Skeleton className="h-3 w-1/6" />
          <Skeleton className="ml-auto h-3 w-16" />
        </div>
      ))}
    </div>
  );
}

/** The shape of a page that is on its way: its heading and one panel. */
export function PageSkeleton() {
  return (
    <div className="flex animate-late flex-col gap-6">
      <Loading />
      <div className="flex flex-col gap-3">
        <Skeleton className="h-7 w-56" />
        <Skeleton className="h-4 w-80 max-w-full" />
      </div>
      <Skeleton className="h-64 w-full rounded-card" />
    </div>
  );
}
