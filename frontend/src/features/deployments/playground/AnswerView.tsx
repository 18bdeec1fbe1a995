import { type ReactNode, useState } from 'react';

import type { ModelVersion } from '@/api/types';
import { Card } from '@/ui/Card';
import { CodeBlock } from '@/ui/CodeBlock';
import { FormProblem } from '@/ui/Field';
import { Segments } from '@/ui/Segments';

import { AnswerTableView } from './AnswerTableView';
import { answerTable } from './answerTable';
import { formatAnswer, labelsOf, parseAnswer } from './protocol';
import { TimingView } from './TimingView';
import type { Attempt } from './useSending';

export type AnswerFormat = 'table' | 'json';

interface AnswerViewProps {
  version: ModelVersion;
  attempt: Attempt | undefined;
  isPending: boolean;
}

/** What the model answered: as a table with its classes named, or as it came. */
export function AnswerView({ version, attempt, isPending }: AnswerViewProps) {
  const [format, setFormat] = useState<AnswerFormat>('table');
  return (
    <Card title="Answer" actions={attempt?.kind === 'answered' && <FormatPicker value={format} onChange={setFormat} />}>
      <div aria-live="polite" aria-busy={isPending} className="flex flex-col gap-4">
        {!attempt && <Waiting>{isPending ? 'Waiting for the model…' : 'Send the request to see what the model makes of it.'}</Waiting>}
        {attempt?.kind === 'refused' && <FormProblem message={attempt.message} />}
        {attempt?.kind === 'answered' && (
          <>
            <Answer body={attempt.body} version={version} format={format} />
            <TimingView timing={attempt.timing} />
          </>
        )}
      </div>
    </Card>
  );
}

export const FormatPicker = ({ value, onChange }: { value: AnswerFormat; onChange: (format: AnswerFormat) => void }) => (
  <Segments
    label="Answer as"
    value={value}
    options={[
      { value: 'table', label: 'Table' },
      { value: 'json', label: 'JSON' },
    ]}
    onChange={onChange}
  />
);

const Waiting = ({ children }: { children: ReactNode }) => <p className="py-10 text-center text-body text-muted">{children}</p>;

function Answer({ body, version, format }: { body: unknown; version: ModelVersion; format: AnswerFormat }) {
  const answer = parseAnswer(body);
  if (!answer.ok || format === 'json') {
    return (
      <>
        {!answer.ok && <p className="text-body text-warn">The answer is not as the protocol says ({answer.fault}).</p>}
        <CodeBlock code={formatAnswer(body)} label="Answer as JSON" wrap />
      </>
    );
  }
  return <AnswerTableView table={answerTable(answer.value.outputs, labelsOf(version.metadata))} />;
}
