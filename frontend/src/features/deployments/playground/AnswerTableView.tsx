import { Table, Td, Th, Tr } from '@/ui/Table';

import type { AnswerCell, AnswerTable, Share } from './answerTable';

const SHOWN_SHARES = 10;

/** One row a row of the batch; probabilities as bars. */
export function AnswerTableView({ table: { columns, rows } }: { table: AnswerTable }) {
  const numbered = rows.length > 1;
  return (
    <Table
      label="Answer"
      head={
        <>
          {numbered && <Th numeric>Row</Th>}
          {columns.map((name) => (
            <Th key={name}>{name}</Th>
          ))}
        </>
      }
    >
      {rows.map((cells, row) => (
        // oxlint-disable-next-line react/no-array-index-key -- a row is its place in the batch
        <Tr key={row}>
          {numbered && (
            <Td numeric className="align-top! text-subtle">
              {row + 1}
            </Td>
          )}
          {cells.map((cell, column) => (
            <Td key={columns[column]} className="align-top!">
              <Cell cell={cell} />
            </Td>
          ))}
        </Tr>
      ))}
    </Table>
  );
}

export function Cell({ cell }: { cell: AnswerCell }) {
  if (cell.kind === 'text') return <span className="break-words tabular-nums">{cell.text}</span>;
  if (cell.kind === 'shares') return <Shares shares={cell.shares} />;
  if (cell.kind === 'class') {
    return (
      <>
        <strong className="font-medium">{cell.label}</strong> {cell.label !== cell.value && <span className="text-subtle">({cell.value})</span>}
      </>
    );
  }
  return (
    <span className="font-mono text-code break-words">
      {cell.values.join(', ')}
      {cell.more > 0 && <span className="text-subtle"> and {cell.more} more</span>}
    </span>
  );
}

const Shares = ({ shares }: { shares: readonly Share[] }) => (
  <ul className="flex min-w-52 flex-col gap-1">
    {shares.slice(0, SHOWN_SHARES).map(({ label, value }) => (
      <li key={label} className="grid grid-cols-[minmax(3.5rem,7rem)_1fr_3.5rem] items-center gap-2">
        <span className="truncate" title={label}>
          {label}
        </span>{' '}
        <span aria-hidden className="h-2 overflow-hidden rounded-full bg-sunken">
          <span className="block h-full rounded-full bg-accent" style={{ width: `${Math.max(value * 100, 0.5)}%` }} />
        </span>
        <span className="text-right tabular-nums">{percent(value)}</span>
      </li>
    ))}
    {shares.length > SHOWN_SHARES && <li className="text-caption text-subtle">and {shares.length - SHOWN_SHARES} more, each at most {percent(Math.max(...shares.slice(SHOWN_SHARES).map((it) => it.value)))}</li>}
  </ul>
);

/** Always two decimals, so that a column of them can be compared; never zero for what is only small. */
const percent = (value: number): string => (value > 0 && value < 0.000_05 ? '< 0.01%' : `${(value * 100).toFixed(2)}%`);
