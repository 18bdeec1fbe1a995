import type { ReactNode } from 'react';

import { useDocumentTitle } from '@/lib/useDocumentTitle';

interface PageHeaderProps {
  title: string;
  /** What the title belongs to, for the browser's tab: the project's or the parent's name. */
  context?: string;
  /** Links back up, above the title. */
  above?: ReactNode;
  /** Beside the title: a state pill. */
  beside?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
}

/** The heading of a page; it names the document as well. */
export function PageHeader({ title, context, above, beside, children, actions }: PageHeaderProps) {
  useDocumentTitle(...(context ? [title, context] : [title]));
  return (
    <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="flex min-w-0 flex-1 basis-60 flex-col gap-1">
        {above && <div className="text-caption text-subtle">{above}</div>}
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="min-w-0 text-display break-words">{title}</h1>
          {beside}
        </div>
        {children && <div className="max-w-180 text-body text-muted">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </header>
  );
}
