import { Table, Td, Th, Tr } from '@/ui/Table';
import { formatMoment } from '@/lib/format';
import type { TimeSeriesData } from './series';

interface ChartTableProps {
  title: string;
  data: TimeSeriesData;
  format: (value: number) => string;
}

/** The same data as a chart, newest first; times at which nothing at all was measured are left out. */
export function ChartTable({ title, data: { times, series }, format }: ChartTableProps) {
  const indexes = times.map((_, index) => index).filter((index) => series.some((it) => (it.values[index] ?? 0) !== 0));
  if (indexes.length === 0) return <p className="py-8 text-center text-body text-muted">Nothing was measured in this time.</p>;
  const head = [<Th key="time">Time</Th>, ...series.map((it) => <Th key={it.label} numeric>{it.label}</Th>)];
  return (
    <div className="max-h-80 overflow-y-auto">
      <Table label={title} head={head}>
        {indexes.toReversed().map((index) => (
          <Tr key={times[index]}>
            <Td className="whitespace-nowrap">{formatMoment(new Date((times[index] ?? 0) * 1000))}</Td>
            {series.map((it) => (
              <Td key={it.label} numeric>
                {text(it.values[index], format)}
              </Td>
            ))}
          </Tr>
        ))}
      </Table>
    </div>
  );
}

const text = (value: number | null | undefined, format: (value: number) => string): string => (value === null || value === undefined ? '–' : format(value));
