import { ChartLine, TableProperties } from 'lucide-react';
import { lazy, Suspense, useMemo, useState } from 'react';

import { Button } from '@/ui/Button';
import { Skeleton } from '@/ui/Skeleton';

import { ChartTable } from './ChartTable';
import { type Series, summarize, type TimeSeriesData } from './series';

const Plot = lazy(() => import('./Plot'));

export interface TimeSeriesProps {
  title: string;
  data: TimeSeriesData;
  /** A value with its unit, as axis, tooltip and table show it. */
  format: (value: number) => string;
  /** Charts with the same word share their cursor. */
  group?: string;
}

/** A chart over time with its legend, a summary in words, and the same data as a table. */
export function TimeSeries({ title, data, format, group }: TimeSeriesProps) {
  const [asTable, setAsTable] = useState(false);
  const summary = useMemo(() => summarize(title, data, format), [title, data, format]);
  return (
    <figure className="flex flex-col gap-2">
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
        <ChartTable title={title} data={data} format={format} />
      ) : (
        <Suspense fallback={<Skeleton className="h-52 w-full" />}>
          <Plot summary={summary} data={data} format={format} group={group} />
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
