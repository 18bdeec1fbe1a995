import type { ReactNode } from 'react';

import { CodeBlock } from './CodeBlock';

interface EmptyProps {
  icon?: ReactNode;
  title: string;
  /** One sentence: what goes here, or which filter hides it. */
  children: ReactNode;
  /** The one thing to do next. */
  action?: ReactNode;
  /** The same from a terminal. */
  command?: string;
}

export function Empty({ icon, title, children, action, command }: EmptyProps) {
  return (
    <section className="flex flex-col items-center gap-4 rounded-card border border-dashed border-border-strong/60 bg-surface px-6 py-12 text-center">
      {icon && <div className="grid size-11 place-items-center rounded-full bg-accent-soft text-accent [&_svg]:size-5">{icon}</div>}
      <div className="flex max-w-110 flex-col gap-1">
        <h2 className="text-section">{title}</h2>
        <p className="text-body text-muted">{children}</p>
      </div>
      {action}
      {command && (
        <div className="w-full max-w-110 text-left">
          <p className="mb-1.5 text-center text-caption text-subtle">or from a terminal</p>
          <CodeBlock code={command} />
        </div>
      )}
    </section>
  );
}
