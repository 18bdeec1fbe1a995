import type { UseMutationResult } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';

import { messageOf } from '@/api/problem';
import type { ModelVersion } from '@/api/types';
import { formatMicroseconds } from '@/lib/format';
import { Card } from '@/ui/Card';
import { CodeBlock } from '@/ui/CodeBlock';
import { FormProblem } from '@/ui/Field';
import { Segments } from '@/ui/Segments';

import { AnswerTableView } from './AnswerTableView';
import { answerTable } from './answerTable';
import { formatAnswer, labelsOf, parseAnswer } from './protocol';
import type { Answered } from './usePlayground';

interface AnswerViewProps {
  version: ModelVersion;
  sending: UseMutationResult<Answered, Error, string>;
}

/** What the model answered: as a table with its classes named, or as it came. */
export function AnswerView({ version, sending: { data, error, isPending } }: AnswerViewProps) {
  const [view, setView] = useState<'table' | 'json'>('table');
  const picker = (
    <Segments
      label="Answer as"
      value={view}
      options={[
        { value: 'table', label: 'Table' },
        { value: 'json', label: 'JSON' },
      ]}
      onChange={setView}
    />
  );
  return (
    <Card title="Answer" actions={data && picker}>
      <div aria-live="polite" aria-busy={isPending} className="flex flex-col gap-4">
        {error && <FormProblem message={messageOf(error)} />}
        {!error && !data && <Waiting>{isPending ? 'Waiting for the model…' : 'Send the request to see what the model makes of it.'}</Waiting>}
        {!error && data && <Answer answered={data} version={version} view={view} />}
      </div>
    </Card>
  );
}

const Waiting = ({ children }: { children: ReactNode }) => <p className="py-10 text-center text-body text-muted">{children}</p>;

function Answer({ answered: { body, roundTripMs }, version, view }: { answered: Answered; version: ModelVersion; view: 'table' | 'json' }) {
  const answer = parseAnswer(body);
  if (!answer.ok || view === 'json') {
    return (
      <>
        {!answer.ok && <p className="text-body text-warn">The answer is not as the protocol says ({answer.fault}).</p>}
        <CodeBlock code={formatAnswer(body)} label="Answer as JSON" wrap />
      </>
    );
  }
  return (
    <>
      <AnswerTableView table={answerTable(answer.value.outputs, labelsOf(version.metadata))} />
      <p className="text-caption text-subtle tabular-nums">
        Answered in {formatMicroseconds(roundTripMs * 1000)}, the way from this browser and back included
        {answer.value.model_version ? ` · version ${answer.value.model_version}` : ''}
      </p>
    </>
  );
}
