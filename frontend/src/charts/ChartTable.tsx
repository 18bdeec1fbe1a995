import { Table, Td, Th, Tr } from '@/ui/Table';

import type { Axis, ChartData } from './series';

interface ChartTableProps {
  title: string;
  data: ChartData;
  axis: Axis;
  format: (value: number) => string;
}

/** The same data as a chart; places at which nothing at all was measured are left out. */
export function ChartTable({ title, data: { at, series }, axis, format }: ChartTableProps) {
  const indexes = at.map((_, index) => index).filter((index) => series.some((it) => (it.values[index] ?? 0) !== 0));
  if (indexes.length === 0) return <p className="py-8 text-center text-body text-muted">Nothing was measured.</p>;
  const head = [<Th key="axis">{axis.name}</Th>, ...series.map((it) => <Th key={it.label} numeric>{it.label}</Th>)];
  return (
    <div className="max-h-80 overflow-y-auto">
      <Table label={title} head={head}>
        {(axis.lastFirst ? indexes.toReversed() : indexes).map((index) => (
          <Tr key={at[index]}>
            <Td className="whitespace-nowrap">{axis.full(at[index] ?? 0)}</Td>
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
