import { useId, useState } from 'react';

import type { Deployment } from '@/api/types';
import { Card } from '@/ui/Card';
import { CodeBlock } from '@/ui/CodeBlock';
import { FormProblem, Select } from '@/ui/Field';

import { type AnswerFormat, FormatPicker } from './AnswerView';
import { AnswersTable } from './AnswersTable';
import { type OutputDifference, TOLERANCES, verdict } from './comparison';
import { formatAnswer } from './protocol';
import { differencesOf, type Side, type SideState, sidesOf } from './sides';
import { TimingsTable } from './TimingsTable';
import type { Attempts } from './useSending';

interface ComparisonViewProps {
  /** The deployment of this page first. */
  deployments: readonly Deployment[];
  attempts: Attempts;
  isPending: boolean;
}

const DEFAULT_TOLERANCE = 1e-4;

/** What several deployments answered to the same request, side by side, with what differs from the first marked. */
export function ComparisonView({ deployments, attempts, isPending }: ComparisonViewProps) {
  const [format, setFormat] = useState<AnswerFormat>('table');
  const [tolerance, setTolerance] = useState<number>(DEFAULT_TOLERANCE);
  const sides = sidesOf(deployments, attempts);
  const differences = differencesOf(sides, tolerance);
  const isEmpty = attempts.size === 0;
  return (
    <Card
      title="Answers side by side"
      actions={
        <div className="flex flex-wrap items-center gap-3">
          <ToleranceSelect value={tolerance} onChange={setTolerance} />
          <FormatPicker value={format} onChange={setFormat} />
        </div>
      }
    >
      <div aria-busy={isPending} className="flex flex-col gap-6">
        <div role="status" className="flex flex-col gap-1 text-body">
          {isEmpty && <p className="py-6 text-center text-muted">{isPending ? 'Waiting for the first answer…' : 'Send the request to see what each deployment makes of it.'}</p>}
          {!isEmpty && sides.slice(1).map((side) => <Verdict key={side.deployment.id} side={side} differences={differences.get(side.deployment.id)} isPending={isPending} />)}
        </div>
        {!isEmpty && sides.map(({ deployment: { id, name }, state }) => state.kind === 'refused' && <FormProblem key={id} message={`${name}: ${state.message}`} />)}
        {!isEmpty && (format === 'table' ? <AnswersTable sides={sides} differences={differences} /> : <AsJson sides={sides} />)}
        {!isEmpty && <TimingsTable sides={sides} />}
      </div>
    </Card>
  );
}

function Verdict({ side: { deployment, state }, differences, isPending }: { side: Side; differences: readonly OutputDifference[] | undefined; isPending: boolean }) {
  const isSame = differences?.every((it) => it.rows.every((row) => row.kind === 'same'));
  return (
    <p>
      <strong className="font-medium">{deployment.name}</strong>{' '}
      <span className={differences && !isSame ? 'text-warn' : 'text-muted'}>{differences ? verdict(differences) : withoutAnswer(state, isPending)}</span>
    </p>
  );
}

function withoutAnswer({ kind }: SideState, isPending: boolean): string {
  if (kind === 'refused') return 'Refused the request.';
  if (kind === 'answered') return 'There is no first answer to compare with.';
  return isPending ? 'Not asked yet.' : 'Not asked: send the request again.';
}

function ToleranceSelect({ value, onChange }: { value: number; onChange: (tolerance: number) => void }) {
  const id = useId();
  return (
    <div className="flex items-center gap-2">
      <label htmlFor={id} className="text-caption text-muted">
        Differences above
      </label>
      <Select id={id} value={value} className="w-32!" onChange={(event) => onChange(Number(event.target.value))}>
        {TOLERANCES.map((it) => (
          <option key={it} value={it}>
            {it === 0 ? '0' : it}
          </option>
        ))}
      </Select>
    </div>
  );
}

const AsJson = ({ sides }: { sides: readonly Side[] }) => (
  <div className="grid gap-4 lg:auto-cols-fr lg:grid-flow-col">
    {sides.map(({ deployment: { id, name }, state }) => (
      <section key={id} className="flex min-w-0 flex-col gap-2">
        <h3 className="text-label">{name}</h3>
        {state.kind === 'answered' && <CodeBlock code={formatAnswer(state.body)} label={`Answer of ${name} as JSON`} wrap />}
      </section>
    ))}
  </div>
);
