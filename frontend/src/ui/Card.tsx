import type { ReactNode } from 'react';

interface CardProps {
  title?: ReactNode;
  actions?: ReactNode;
  /** False lets the content touch the edges: a table, a list of rows. */
  padded?: boolean;
  children: ReactNode;
}

/** A titled part of a page. */
export function Card({ title, actions, padded = true, children }: CardProps) {
  return (
    <section className="rounded-card border border-border bg-surface">
      {(title || actions) && (
        <header className="flex min-h-12 flex-wrap items-center justify-between gap-2 border-b border-border px-4 py-2">
          <h2 className="text-section">{title}</h2>
          {actions}
        </header>
      )}
      <div className={padded ? 'p-4' : ''}>{children}</div>
    </section>
  );
}
