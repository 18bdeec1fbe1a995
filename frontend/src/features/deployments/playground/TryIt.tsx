import { RotateCcw, Send } from 'lucide-react';
import type { FormEvent } from 'react';

import type { Deployment } from '@/api/types';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Field, Textarea } from '@/ui/Field';
import { Segments } from '@/ui/Segments';

import { AnswerView } from './AnswerView';
import { InputForm } from './InputForm';
import type { Playground } from './usePlayground';

/** Asks the deployment for a prediction, by a form made from its model's signature. */
export function TryIt({ deployment, playground }: { deployment: Deployment; playground: Playground }) {
  const { mode, send, sending, reset, hasExample } = playground;
  const mayBeRefused = !['ready', 'degraded', 'unknown'].includes(deployment.state);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  return (
    <div className="grid grid-cols-1 items-start gap-6 lg:grid-cols-2">
      <form onSubmit={submit} noValidate>
        <Card
          title="Request"
          actions={
            <Segments
              label="Request as"
              value={mode.kind}
              options={[
                { value: 'form', label: 'Form' },
                { value: 'json', label: 'JSON' },
              ]}
              onChange={(kind) => (kind === 'form' ? playground.showForm() : playground.showJson())}
            />
          }
        >
          <div className="flex flex-col gap-5">
            {mode.kind === 'form' ? <InputForm playground={playground} draft={mode.draft} faults={mode.faults} /> : <JsonField text={mode.text} fault={mode.fault} onChange={playground.setText} />}
            <div className="flex flex-wrap items-center justify-end gap-2">
              {mayBeRefused && <p className="mr-auto text-caption text-warn">Not ready: a request may be refused.</p>}
              <Button variant="ghost" icon={<RotateCcw aria-hidden />} onClick={reset}>
                {hasExample ? 'Back to the example' : 'Start over'}
              </Button>
              <Button type="submit" variant="primary" icon={<Send aria-hidden />} busy={sending.isPending}>
                Send request
              </Button>
            </div>
          </div>
        </Card>
      </form>
      <AnswerView version={deployment.revision.model_version} sending={sending} />
    </div>
  );
}

const JsonField = ({ text, fault, onChange }: { text: string; fault: string | null; onChange: (text: string) => void }) => (
  <Field label="Request body" hint="Sent as it is written, in the Open Inference Protocol." error={fault ?? undefined}>
    {(control) => <Textarea {...control} value={text} spellCheck={false} wrap="off" rows={14} className="font-mono text-code!" onChange={(event) => onChange(event.target.value)} />}
  </Field>
);
