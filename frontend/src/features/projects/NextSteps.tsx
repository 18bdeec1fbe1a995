import { Check } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Deployment, Project } from '@/api/types';
import { classes } from '@/lib/classes';
import { LinkButton } from '@/ui/Button';
import { Card } from '@/ui/Card';

import { useLastHour, useWorkingKeys } from './queries';

interface NextStepsProps {
  project: Project;
  deployments: Deployment[];
}

/** The way from an empty project to an answered request; it completes from what really exists and then goes away. */
export function NextSteps({ project, deployments }: NextStepsProps) {
  const { data: keys } = useWorkingKeys(project.id);
  const [first] = deployments;
  if (keys === undefined) return null;
  if (first && keys > 0) return <CallStep project={project} deployment={first} />;
  return <Steps project={project} deployment={first} hasKey={keys > 0} />;
}

/** Only the last step is open: it stays until the first request arrived. */
function CallStep({ project, deployment }: { project: Project; deployment: Deployment }) {
  const { data: traffic } = useLastHour(project.id, deployment.id);
  if (!traffic || traffic.requests > 0) return null;
  return <Steps project={project} deployment={deployment} hasKey />;
}

function Steps({ project, deployment, hasKey }: { project: Project; deployment: Deployment | undefined; hasKey: boolean }) {
  const params = { org: project.organization_slug, project: project.slug };
  const done = [project.models > 0, deployment !== undefined, hasKey, false];
  const current = done.indexOf(false);
  const step = (index: number) => ({ isDone: done[index] ?? false, isCurrent: index === current, number: index + 1 });
  const variant = (index: number) => (index === current ? 'primary' : 'secondary');
  return (
    <Card title="Next steps" padded={false}>
      <ol aria-label="Next steps" className="divide-y divide-border">
        <Step {...step(0)} title="Upload a model" text="An ONNX file. Its inputs and outputs are read and checked on arrival.">
          <LinkButton to="/o/$org/p/$project/models" params={params} variant={variant(0)}>
            Go to models
          </LinkButton>
        </Step>
        <Step {...step(1)} title="Deploy it" text="A deployment has a stable name that your programs call; the version behind it can change.">
          {project.models > 0 && (
            <LinkButton to="/o/$org/p/$project/models" params={params} variant={variant(1)}>
              Choose a model
            </LinkButton>
          )}
        </Step>
        <Step {...step(2)} title="Create an API key" text="Programs prove with it that they may call this project.">
          <LinkButton to="/o/$org/p/$project/keys" params={params} variant={variant(2)}>
            Go to API keys
          </LinkButton>
        </Step>
        <Step {...step(3)} title="Send the first request" text="From a form in the browser, or with the curl and Python snippets on the deployment’s page.">
          {deployment && (
            <LinkButton to="/o/$org/p/$project/deployments/$deployment" params={{ ...params, deployment: deployment.id }} variant={variant(3)}>
              Try {deployment.name}
            </LinkButton>
          )}
        </Step>
      </ol>
    </Card>
  );
}

interface StepProps {
  number: number;
  isDone: boolean;
  isCurrent: boolean;
  title: string;
  text: string;
  /** The way to do it; not shown once it is done. */
  children: ReactNode;
}

const Step = ({ number, isDone, isCurrent, title, text, children }: StepProps) => (
  <li aria-current={isCurrent ? 'step' : undefined} className="flex items-start gap-3 p-4">
    <span
      className={classes(
        'grid size-6 shrink-0 place-items-center rounded-full text-caption font-semibold',
        isDone ? 'bg-ok-soft text-ok' : isCurrent ? 'bg-accent text-on-accent' : 'bg-sunken text-muted',
      )}
    >
      {isDone ? <Check aria-label="Done" className="size-3.5" strokeWidth={3} /> : number}
    </span>
    <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-6 gap-y-3">
      <div className="min-w-0 flex-1 basis-60">
        <h3 className={classes('text-label', isDone && 'text-muted')}>{title}</h3>
        <p className="text-body text-muted">{text}</p>
      </div>
      {!isDone && children}
    </div>
  </li>
);
