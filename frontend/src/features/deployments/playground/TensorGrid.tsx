import { Plus, X } from 'lucide-react';
import { type ClipboardEvent, type KeyboardEvent, useId } from 'react';

import { shapeText, type TensorSpec } from '@/lib/tensors';
import { Button, IconButton } from '@/ui/Button';

import { isBlock, pasteInto } from './grid';
import { InputLabel } from './InputLabel';
import { submitByKey } from './submitByKey';

interface TensorGridProps {
  spec: TensorSpec;
  cells: Cells;
  fault: string | undefined;
  onChange: (cells: Cells) => void;
}

type Cells = readonly (readonly string[])[];

/** A narrow table of numbers, cell by cell; a block copied from a spreadsheet can be pasted into it. */
export function TensorGrid({ spec, cells, fault, onChange }: TensorGridProps) {
  const id = useId();
  const mayGrow = (spec.shape[0] ?? 0) < 0;
  const set = (row: number, column: number, text: string) => onChange(cells.map((it, y) => it.map((cell, x) => (y === row && x === column ? text : cell))));
  return (
    <div role="group" aria-labelledby={id} className="flex w-full flex-col gap-1.5">
      <p id={id} className="text-label">
        <InputLabel spec={spec} note={`${spec.datatype}, ${shapeText(spec.shape)}`} />
      </p>
      <div className="overflow-x-auto rounded-control border border-border-strong">
        <table className="w-full border-collapse">
          <tbody>
            {cells.map((row, y) => (
              // oxlint-disable-next-line react/no-array-index-key -- a row is its place in the batch
              <tr key={y} className="border-b border-border last:border-0">
                <th scope="row" className="w-8 bg-sunken px-2 text-caption font-normal text-subtle">
                  {y + 1}
                </th>
                {row.map((cell, x) => (
                  // oxlint-disable-next-line react/no-array-index-key -- a column has no name
                  <td key={x} className="min-w-16 border-l border-border p-0">
                    <input
                      value={cell}
                      data-cell={`${y} ${x}`}
                      aria-label={`${spec.name}, row ${y + 1}, column ${x + 1}`}
                      aria-invalid={fault ? true : undefined}
                      aria-describedby={fault ? `${id}-fault` : undefined}
                      autoComplete="off"
                      spellCheck={false}
                      onChange={(event) => set(y, x, event.target.value)}
                      onKeyDown={moveFocus}
                      onPaste={(event) => paste(event, cells, y, x, onChange)}
                      className="h-8 w-full bg-surface px-2 font-mono text-code focus-visible:-outline-offset-2"
                    />
                  </td>
                ))}
                {cells.length > 1 && (
                  <td className="w-8 border-l border-border">
                    <IconButton size="small" label={`Remove row ${y + 1} of ${spec.name}`} icon={<X />} className="w-7" onClick={() => onChange(cells.filter((_, index) => index !== y))} />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {fault && (
        <p id={`${id}-fault`} role="alert" className="text-caption text-danger">
          {fault}
        </p>
      )}
      {mayGrow && (
        <div>
          <Button size="small" variant="ghost" icon={<Plus aria-hidden />} onClick={() => onChange([...cells, cells.at(-1) ?? []])}>
            Add row
          </Button>
        </div>
      )}
    </div>
  );
}

function paste(event: ClipboardEvent, cells: Cells, row: number, column: number, onChange: (cells: Cells) => void): void {
  const text = event.clipboardData.getData('text');
  if (!isBlock(text)) return;
  event.preventDefault();
  onChange(pasteInto(cells, row, column, text));
}

/** Up, down and Enter go through a column, as in a spreadsheet; left and right stay with the text. */
function moveFocus(event: KeyboardEvent<HTMLInputElement>): void {
  const step = { ArrowUp: -1, ArrowDown: 1, Enter: 1 }[event.key];
  if (event.ctrlKey || event.metaKey) return submitByKey(event);
  if (step === undefined) return;
  event.preventDefault();
  const [row = 0, column = 0] = (event.currentTarget.dataset['cell'] ?? '').split(' ').map(Number);
  const next = event.currentTarget.closest('table')?.querySelector(`[data-cell="${row + step} ${column}"]`);
  if (!(next instanceof HTMLInputElement)) return;
  next.focus();
  next.select();
}
