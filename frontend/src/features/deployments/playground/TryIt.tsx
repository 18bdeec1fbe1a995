import { RotateCcw, Send } from 'lucide-react';
import type { FormEvent } from 'react';

import type { Deployment } from '@/api/types';
import { classes } from '@/lib/classes';
import { Button } from '@/ui/Button';
import { Card } from '@/ui/Card';
import { Field, Textarea } from '@/ui/Field';
import { GuardedButton } from '@/ui/Guarded';
import { Segments } from '@/ui/Segments';

import { AnswerView } from './AnswerView';
import { CompareMenu, type Comparing } from './CompareMenu';
import { ComparisonView } from './ComparisonView';
import { CopyAs } from './CopyAs';
import { HistoryDialog } from './HistoryDialog';
import { InputForm } from './InputForm';
import { submitByKey } from './submitByKey';
import type { Playground } from './usePlayground';

interface TryItProps {
  deployment: Deployment;
  playground: Playground;
  comparing: Comparing;
}

/** Asks the deployment for a prediction, by a form made from its model's signature; and others too, to compare. */
export function TryIt({ deployment, playground, comparing }: TryItProps) {
  const { attempts, isPending } = playground.sending;
  const isComparing = comparing.others.length > 0;
  return (
    <div className={classes('grid grid-cols-1 items-start gap-6', !isComparing && 'lg:grid-cols-2')}>
      <RequestForm deployment={deployment} playground={playground} comparing={comparing} />
      {isComparing ? (
        <ComparisonView deployments={[deployment, ...comparing.others]} attempts={attempts} isPending={isPending} />
      ) : (
        <AnswerView version={deployment.revision.model_version} attempt={attempts.get(deployment.id)} isPending={isPending} />
      )}
    </div>
  );
}

function RequestForm({ deployment, playground, comparing }: TryItProps) {
  const { mode, send, sending, reset, restore, hasExample } = playground;
  const mayBeRefused = !['ready', 'degraded', 'unknown'].includes(deployment.state);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send(comparing.others);
  };
  return (
    <form onSubmit={submit} noValidate className="min-w-0">
      <Card
        title="Request"
        actions={
          <div className="flex flex-wrap items-center gap-2">
            <CompareMenu deployment={deployment} {...comparing} />
            <HistoryDialog deployment={deployment} onRestore={restore} />
            <Segments
              label="Request as"
              value={mode.kind}
              options={[
                { value: 'form', label: 'Form' },
                { value: 'json', label: 'JSON' },
              ]}
              onChange={(kind) => (kind === 'form' ? playground.showForm() : playground.showJson())}
            />
          </div>
        }
      >
        <div className="flex flex-col gap-5">
          {mode.kind === 'form' ? <InputForm playground={playground} draft={mode.draft} faults={mode.faults} /> : <JsonField text={mode.text} fault={mode.fault} onChange={playground.setText} />}
          <div className="flex flex-wrap items-center justify-end gap-2">
            {mayBeRefused && <p className="mr-auto text-caption text-warn">Not ready: a request may be refused.</p>}
            <CopyAs deployment={deployment.name} request={playground.request} />
            <Button variant="ghost" icon={<RotateCcw aria-hidden />} onClick={reset}>
              {hasExample ? 'Back to the example' : 'Start over'}
            </Button>
            <GuardedButton needs="predictions:make" type="submit" variant="primary" icon={<Send aria-hidden />} busy={sending.isPending} title="Ctrl + Enter">
              {comparing.others.length > 0 ? `Send to ${comparing.others.length + 1}` : 'Send request'}
            </GuardedButton>
          </div>
        </div>
      </Card>
    </form>
  );
}

const JsonField = ({ text, fault, onChange }: { text: string; fault: string | null; onChange: (text: string) => void }) => (
  <Field label="Request body" hint="Sent as it is written, in the Open Inference Protocol." error={fault ?? undefined}>
    {(control) => <Textarea {...control} value={text} spellCheck={false} wrap="off" rows={14} className="font-mono text-code!" onKeyDown={submitByKey} onChange={(event) => onChange(event.target.value)} />}
  </Field>
);
