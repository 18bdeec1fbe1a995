import { classes } from '@/lib/classes';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { Cell } from './AnswerTableView';
import { type AnswerCell, batchOf, cellAt, inOrderOf, valueText } from './answerTable';
import type { RowDifference } from './comparison';
import type { Differences, Side } from './sides';

interface AnswersTableProps {
  sides: readonly Side[];
  differences: Differences;
}

/** A row for each output and row of the batch, a column for each deployment. */
export function AnswersTable({ sides, differences }: AnswersTableProps) {
  const answered = sides.flatMap(({ state }) => (state.kind === 'answered' ? [state] : []));
  const names = [...new Set(answered.flatMap(({ outputs }) => outputs.map((it) => it.name)))];
  const rows = Math.max(0, ...answered.map(({ outputs }) => batchOf(outputs)));
  const places = Array.from({ length: rows }, (_, row) => names.map((name) => ({ row, name }))).flat();
  return (
    <Table
      label="Answers"
      head={
        <>
          {rows > 1 && <Th numeric>Row</Th>}
          <Th>Output</Th>
          {sides.map(({ deployment: { id, name } }) => (
            <Th key={id}>{name}</Th>
          ))}
        </>
      }
    >
      {places.map(({ row, name }) => (
        <Tr key={`${row} ${name}`}>
          {rows > 1 && (
            <Td numeric className="align-top! text-subtle">
              {row + 1}
            </Td>
          )}
          <Td className="align-top! font-medium break-words">{name}</Td>
          {cellsInOrder(sides, row, name).map((cell, index) => {
            const id = sides[index]?.deployment.id ?? '';
            return <SideCell key={id} cell={cell} difference={differences.get(id)?.find((it) => it.name === name)?.rows[row]} />;
          })}
        </Tr>
      ))}
    </Table>
  );
}

interface SideCellProps {
  cell: AnswerCell | undefined;
  difference: RowDifference | undefined;
}

function SideCell({ cell, difference }: SideCellProps) {
  const isOdd = difference !== undefined && difference.kind !== 'same';
  return (
    <Td className={classes('align-top!', isOdd && 'bg-warn-soft')}>
      {cell ? <Cell cell={cell} /> : <span className="text-subtle">–</span>}
      {difference && <p className={classes('mt-1 text-caption', isOdd ? 'text-warn' : 'text-subtle')}>{differenceWords(difference)}</p>}
    </Td>
  );
}

function cellsInOrder(sides: readonly Side[], row: number, name: string): (AnswerCell | undefined)[] {
  const cells = sides.map((side) => cellOfSide(side, row, name));
  return cells.map((cell) => cell && inOrderOf(cells[0], cell));
}

/** What a deployment answered in one place; undefined without an answer there. */
function cellOfSide({ state }: Side, row: number, name: string): AnswerCell | undefined {
  if (state.kind !== 'answered') return undefined;
  const output = state.outputs.find((it) => it.name === name);
  const batch = batchOf(state.outputs);
  return output && row < batch ? cellAt(output, row, batch, state.labels) : undefined;
}

function differenceWords(difference: RowDifference): string {
  if (difference.kind === 'same') return 'same';
  if (difference.kind === 'incomparable') return difference.reason;
  const { count, of, largest } = difference;
  const many = of > 1 ? `${count} of ${of} values differ` : 'differs';
  return largest === null ? many : `${many}${of > 1 ? ', at most' : ''} by ${valueText(largest)}`;
}
