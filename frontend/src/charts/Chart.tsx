import { ChartLine, TableProperties } from 'lucide-react';
import { lazy, Suspense, useMemo, useState } from 'react';

import { Button } from '@/ui/Button';
import { Skeleton } from '@/ui/Skeleton';

import { ChartTable } from './ChartTable';
import { type Axis, type ChartData, type Series, summarize } from './series';

const Plot = lazy(() => import('./Plot'));

export interface ChartProps {
  title: string;
  data: ChartData;
  axis: Axis;
  /** A value with its unit, as axis, tooltip and table show it. */
  format: (value: number) => string;
  /** Charts with the same word share their cursor. */
  group?: string;
  /** Values are compared by their ratio: for what spans several powers of ten. */
  isLogarithmic?: boolean;
}

/** A chart with its legend, a summary in words, and the same data as a table. */
export function Chart({ title, data, axis, format, group, isLogarithmic = false }: ChartProps) {
  const [asTable, setAsTable] = useState(false);
  const summary = useMemo(() => summarize(title, data, axis, format), [title, data, axis, format]);
  return (
    <figure className="flex min-w-0 flex-col gap-2">
      <figcaption className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <span className="text-label">{title}</span>
        <Legend series={data.series} />
        <Button
          size="small"
          variant="ghost"
          className="ml-auto"
          icon={asTable ? <ChartLine /> : <TableProperties />}
          aria-label={asTable ? `View ${title} as chart` : `View ${title} as table`}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? 'View as chart' : 'View as table'}
        </Button>
      </figcaption>
      {asTable ? (
        <ChartTable title={title} data={data} axis={axis} format={format} />
      ) : (
        <Suspense fallback={<Skeleton className="h-52 w-full" />}>
          <Plot summary={summary} data={data} axis={axis} format={format} group={group} isLogarithmic={isLogarithmic} />
        </Suspense>
      )}
    </figure>
  );
}

const Legend = ({ series }: { series: readonly Series[] }) => (
  <ul className="flex flex-wrap gap-x-3 gap-y-1 text-caption text-muted">
    {series.map((it) => (
      <li key={it.label} className="flex items-center gap-1.5">
        <span aria-hidden className={it.kind === 'bars' ? 'size-2.5 rounded-[2px]' : 'h-0.5 w-3.5 rounded-full'} style={{ background: `var(${it.color})` }} />
        {it.label}
      </li>
    ))}
  </ul>
);
