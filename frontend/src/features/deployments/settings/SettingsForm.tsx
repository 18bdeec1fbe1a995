import { Undo2 } from 'lucide-react';
import { type FormEvent, type ReactNode, useState } from 'react';

import type { Choice, Deployment, RevisionSettings } from '@/api/types';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Field, Input, Select } from '@/ui/Field';
import { GuardedButton } from '@/ui/Guarded';

import { type Draft, type DraftName, draftOf, type Faults, NUMBER_FIELDS, type NumberName, readDraft } from './fields';
import { ReviewDialog } from './ReviewDialog';
import { choiceValue, MODE_WORDS } from './words';

/** What the person changed of the form, laid over what the current revision says. */
export type Edits = Partial<Draft>;

interface SettingsFormProps {
  deployment: Deployment;
  edits: Edits;
  onEdit: (edits: Edits) => void;
}

/** How the next revision is to be served: every value pinned, or left to be chosen by measuring. */
export function SettingsForm({ deployment, edits, onEdit }: SettingsFormProps) {
  const current = deployment.revision.settings;
  const draft: Draft = { ...draftOf(current), ...edits };
  const [faults, setFaults] = useState<Faults>({});
  const [reviewed, setReviewed] = useState<RevisionSettings | null>(null);
  const change = (name: DraftName, text: string) => {
    setFaults({});
    onEdit({ ...edits, [name]: text });
  };
  const discard = () => {
    setFaults({});
    onEdit({});
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const read = readDraft(draft);
    if (read.ok) setReviewed(read.settings);
    else setFaults(read.faults);
  };
  const parts: PartProps = { draft, faults, change, choices: choicesOf(deployment) };
  return (
    <form onSubmit={submit} noValidate>
      <Card title="Settings of the next revision">
        <div className="flex flex-col gap-8">
          <p className="text-body text-muted">What is left empty, Headrace chooses by measuring the model. What you enter is pinned.</p>
          <Batching {...parts} />
          <Running {...parts} />
          <Keeping {...parts} />
          <div className="flex flex-wrap justify-end gap-2">
            <Button variant="ghost" icon={<Undo2 aria-hidden />} disabled={Object.keys(edits).length === 0} onClick={discard}>
              Discard changes
            </Button>
            <GuardedButton needs="deployments:write" type="submit" variant="primary">
              Review changes
            </GuardedButton>
          </div>
        </div>
      </Card>
      <ReviewDialog deployment={deployment} settings={reviewed} onClose={() => setReviewed(null)} onMade={discard} />
    </form>
  );
}

interface PartProps {
  draft: Draft;
  faults: Faults;
  change: (name: DraftName, text: string) => void;
  choices: ReadonlyMap<string, Choice>;
}

const Part = ({ title, children }: { title: string; children: ReactNode }) => (
  <fieldset>
    <legend className="mb-3 text-label text-muted">{title}</legend>
    <div className="grid gap-x-6 gap-y-4 sm:grid-cols-2 xl:grid-cols-3">{children}</div>
  </fieldset>
);

const Batching = (props: PartProps) => (
  <Part title="Batching">
    <NumberInput name="latency_goal_ms" {...props} />
    <NumberInput name="max_batch_size" {...props} />
    <NumberInput name="max_delay_us" {...props} />
    <NumberInput name="max_queue_rows" {...props} />
    <NumberInput name="timeout_ms" {...props} />
    <SwitchInput name="padding" label="Padding" hint="Lets inputs of different lengths share a run." off="Off" on="On" {...props} />
    {props.draft.padding === 'on' && (
      <>
        <TextInput name="padding_value" label="Padding value" hint="Fills what is missing." {...props} />
        <TextInput name="padding_buckets" label="Padded sizes" hint="Separated by commas; empty for the longest of a batch." {...props} />
      </>
    )}
  </Part>
);

const Running = (props: PartProps) => (
  <Part title="Execution">
    <Field label="Runs happen" hint="Between requests is quicker for small models; a thread keeps large ones out of the way." error={props.faults.mode}>
      {(control) => (
        <Select {...control} value={props.draft.mode} onChange={(event) => props.change('mode', event.target.value)}>
          <option value="">{emptyWords('Headrace chooses', props.choices.get('execution'))}</option>
          <option value="inline">{MODE_WORDS.inline}</option>
          <option value="thread">{MODE_WORDS.thread}</option>
        </Select>
      )}
    </Field>
    <NumberInput name="intra_op_threads" {...props} />
    <NumberInput name="max_concurrency" {...props} />
  </Part>
);

const Keeping = (props: PartProps) => (
  <Part title="Cache">
    <SwitchInput name="cache" label="Cache" hint="Exactly the same input gets the kept answer." off="Off: every request runs the model" on="On" {...props} />
    {props.draft.cache === 'on' && (
      <>
        <TextInput name="cache_ttl_s" label="Answers are kept for" unit="seconds" hint="Then the model is asked again." {...props} />
        <TextInput name="cache_mib" label="Memory of each worker" unit="MiB" hint="When it is full, what was not asked for longest goes." {...props} />
      </>
    )}
  </Part>
);

function NumberInput({ name, draft, faults, change, choices }: PartProps & { name: NumberName }) {
  const { label, unit, hint, empty } = NUMBER_FIELDS[name];
  return (
    <Field label={<LabelWithUnit label={label} unit={unit} />} hint={hint} error={faults[name]}>
      {(control) => (
        <Input
          {...control}
          value={draft[name]}
          placeholder={emptyWords(empty, choices.get(name))}
          inputMode="decimal"
          autoComplete="off"
          onChange={(event) => change(name, event.target.value)}
        />
      )}
    </Field>
  );
}

interface TextInputProps extends PartProps {
  name: DraftName;
  label: string;
  unit?: string;
  hint: string;
}

const TextInput = ({ name, label, unit, hint, draft, faults, change }: TextInputProps) => (
  <Field label={unit ? <LabelWithUnit label={label} unit={unit} /> : label} hint={hint} error={faults[name]}>
    {(control) => <Input {...control} value={draft[name]} autoComplete="off" onChange={(event) => change(name, event.target.value)} />}
  </Field>
);

interface SwitchInputProps extends PartProps {
  name: 'padding' | 'cache';
  label: string;
  hint: string;
  off: string;
  on: string;
}

const SwitchInput = ({ name, label, hint, off, on, draft, change }: SwitchInputProps) => (
  <Field label={label} hint={hint}>
    {(control) => (
      <Select {...control} value={draft[name]} onChange={(event) => change(name, event.target.value)}>
        <option value="off">{off}</option>
        <option value="on">{on}</option>
      </Select>
    )}
  </Field>
);

const LabelWithUnit = ({ label, unit }: { label: string; unit: string }) => (
  <>
    {label} <span className="font-normal text-subtle">{unit}</span>
  </>
);

/** What an empty field means, and what that comes to today. */
const emptyWords = (empty: string, choice: Choice | undefined): string => (choice && !choice.is_pinned ? `${empty}: ${choiceValue(choice)}` : empty);

const choicesOf = ({ workers }: Deployment): ReadonlyMap<string, Choice> =>
  new Map((workers.find((it) => it.tuning)?.tuning?.choices ?? []).map((it) => [it.name, it]));
