import { Plus, X } from 'lucide-react';

import { classes } from '@/lib/classes';
import type { TensorSpec } from '@/lib/tensors';
import { Button } from '@/ui/Button';
import { Field, Input, Select } from '@/ui/Field';

import { type Attachment, type Draft, type Faults, rowField, wholeField } from './form';
import { InputLabel } from './InputLabel';
import { TensorField } from './TensorField';
import type { Playground } from './usePlayground';

interface InputFormProps {
  playground: Playground;
  draft: Draft;
  faults: Faults;
}

/** Fields for every input of the model. */
export function InputForm({ playground, draft, faults }: InputFormProps) {
  const { layout, setDraft } = playground;
  return (
    <div className="flex flex-col gap-5">
      {layout.scalars.map((spec) => (
        <ValueField
          key={spec.name}
          spec={spec}
          value={draft.scalars[spec.name] ?? ''}
          fault={faults[wholeField(spec.name)]}
          onChange={(text) => setDraft({ ...draft, scalars: { ...draft.scalars, [spec.name]: text } })}
        />
      ))}
      {layout.tensors.map((spec) => (
        <TensorField
          key={spec.name}
          spec={spec}
          text={draft.tensors[spec.name] ?? ''}
          attached={draft.attached[spec.name]}
          fault={faults[wholeField(spec.name)]}
          onText={(text) => setDraft({ ...draft, tensors: { ...draft.tensors, [spec.name]: text } })}
          onAttach={(attached) => setDraft({ ...draft, attached: attach(draft.attached, spec.name, attached) })}
        />
      ))}
      {layout.columns.length > 0 && <Rows playground={playground} draft={draft} faults={faults} />}
    </div>
  );
}

function attach(all: Draft['attached'], name: string, attached: Attachment | undefined): Draft['attached'] {
  const { [name]: _, ...others } = all;
  return attached ? { ...others, [name]: attached } : others;
}

function Rows({ playground, draft, faults }: InputFormProps) {
  const { layout, setDraft, row, setRow, addRow, removeRow } = playground;
  const change = (name: string, text: string) => setDraft({ ...draft, rows: draft.rows.map((it, index) => (index === row ? { ...it, [name]: text } : it)) });
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-1.5">
        {draft.rows.map((_, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- a row is its place in the batch
          <RowButton key={index} number={index + 1} isCurrent={index === row} onSelect={() => setRow(index)} />
        ))}
        <Button size="small" variant="ghost" icon={<Plus aria-hidden />} onClick={() => addRow(draft)}>
          Add row
        </Button>
        {draft.rows.length > 1 && (
          <Button size="small" variant="ghost" icon={<X aria-hidden />} onClick={() => removeRow(draft)}>
            Remove row {row + 1}
          </Button>
        )}
      </div>
      <fieldset className={classes('grid gap-x-4 gap-y-3', layout.columns.length > 1 && 'sm:grid-cols-2')}>
        <legend className="sr-only">Values of row {row + 1}</legend>
        {layout.columns.map((spec) => (
          <ValueField key={spec.name} spec={spec} value={draft.rows[row]?.[spec.name] ?? ''} fault={faults[rowField(row, spec.name)]} onChange={(text) => change(spec.name, text)} />
        ))}
      </fieldset>
    </div>
  );
}

const RowButton = ({ number, isCurrent, onSelect }: { number: number; isCurrent: boolean; onSelect: () => void }) => (
  <button
    type="button"
    aria-pressed={isCurrent}
    onClick={onSelect}
    className={classes('h-7 rounded-control px-2 text-label', isCurrent ? 'bg-accent-soft text-accent' : 'text-muted hover:bg-sunken hover:text-text')}
  >
    Row {number}
  </button>
);

interface ValueFieldProps {
  spec: TensorSpec;
  value: string;
  fault: string | undefined;
  onChange: (text: string) => void;
}

const ValueField = ({ spec, value, fault, onChange }: ValueFieldProps) => (
  <Field label={<InputLabel spec={spec} note={spec.datatype} />} error={fault}>
    {(control) =>
      spec.datatype === 'BOOL' ? (
        <Select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="false">false</option>
          <option value="true">true</option>
        </Select>
      ) : (
        <Input {...control} value={value} autoComplete="off" spellCheck={false} inputMode={inputModeOf(spec.datatype)} onChange={(event) => onChange(event.target.value)} />
      )
    }
  </Field>
);

/** "numeric" keyboards of phones have no minus sign, so whole numbers that may be negative get the text one. */
function inputModeOf(datatype: string): 'text' | 'numeric' | undefined {
  if (datatype.startsWith('UINT')) return 'numeric';
  return datatype === 'BYTES' ? 'text' : undefined;
}
