import { type ComponentProps, type ReactNode, useId } from 'react';

import { classes } from '@/lib/classes';

const CONTROL =
  'w-full rounded-control border border-border-strong bg-surface px-2.5 text-body text-text transition-colors duration-100 ' +
  'aria-invalid:border-danger disabled:opacity-60 focus-visible:outline-offset-0';

export interface ControlProps {
  id: string;
  'aria-describedby'?: string | undefined;
  'aria-invalid'?: true | undefined;
}

/** A label, its control, and what is to be known or mended about it. */
export function Field({ label, hint, error, children }: { label: ReactNode; hint?: ReactNode; error?: string | undefined; children: (control: ControlProps) => ReactNode }) {
  const id = useId();
  const note = error ?? hint;
  const control: ControlProps = { id, 'aria-describedby': note ? `${id}-note` : undefined, 'aria-invalid': error ? true : undefined };
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-label">
        {label}
      </label>
      {children(control)}
      {note && (
        <p id={`${id}-note`} role={error ? 'alert' : undefined} className={classes('text-caption', error ? 'text-danger' : 'text-subtle')}>
          {note}
        </p>
      )}
    </div>
  );
}

export const Input = ({ className, ...rest }: ComponentProps<'input'>) => <input className={classes(CONTROL, 'h-8 [&[readonly]]:bg-sunken', className)} {...rest} />;

export const Textarea = ({ className, ...rest }: ComponentProps<'textarea'>) => <textarea className={classes(CONTROL, 'min-h-20 py-1.5 [&[readonly]]:bg-sunken', className)} {...rest} />;

export const Select = ({ className, ...rest }: ComponentProps<'select'>) => <select className={classes(CONTROL, 'h-8 pr-7', className)} {...rest} />;

export function Checkbox({ label, hint, className, ...rest }: ComponentProps<'input'> & { label: ReactNode; hint?: ReactNode }) {
  const id = useId();
  return (
    <div className={classes('flex gap-2.5', className)}>
      <input
        type="checkbox"
        id={id}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="mt-0.5 size-4 shrink-0 accent-accent"
        {...rest}
      />
      <div className="flex flex-col gap-0.5">
        <label htmlFor={id} className="text-body">
          {label}
        </label>
        {hint && (
          <p id={`${id}-hint`} className="text-caption text-subtle">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

/** One of several, each with its words; those of one `name` belong together. */
export const Radio = (props: ComponentProps<typeof Checkbox>) => <Checkbox type="radio" {...props} />;

/** What the server said about a whole form, above its buttons. */
export const FormProblem = ({ message }: { message: string | undefined }) =>
  message ? (
    <p role="alert" className="rounded-control bg-danger-soft px-3 py-2 text-body break-words text-danger first-letter:uppercase">
      {message}
    </p>
  ) : null;
