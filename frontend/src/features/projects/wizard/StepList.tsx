import { classes } from '@/lib/classes';

import { STEPS, type WizardStep } from './steps';

/** Where on the way to a project the reader is. */
export function StepList({ current }: { current: WizardStep }) {
  const names = Object.keys(STEPS);
  const at = names.indexOf(current);
  return (
    <ol aria-label="Steps" className="flex flex-wrap gap-x-6 gap-y-2">
      {Object.entries(STEPS).map(([name, title], index) => (
        <li key={name} aria-current={name === current ? 'step' : undefined} className={classes('flex items-center gap-2 text-label', index > at && 'text-subtle')}>
          <span
            aria-hidden
            className={classes('grid size-6 place-items-center rounded-full text-caption font-semibold', index < at ? 'bg-ok-soft text-ok' : index === at ? 'bg-accent text-on-accent' : 'bg-sunken text-muted')}
          >
            {index + 1}
          </span>
          {title}
        </li>
      ))}
    </ol>
  );
}
