import type { ComponentProps, ReactNode } from 'react';

import { classes } from '@/lib/classes';

type Align = { numeric?: boolean };

/** A table in a card; on narrow screens it scrolls inside its card. `label` names it for screen readers. */
export function Table({ label, head, children }: { label: string; head: ReactNode; children: ReactNode }) {
  return (
    <div tabIndex={0} role="region" aria-label={label} className="relative overflow-x-auto rounded-card border border-border bg-surface">
      <table aria-label={label} className="w-full border-collapse text-table">
        <thead className="bg-sunken">
          <tr>{head}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export const Th = ({ numeric = false, className, ...rest }: ComponentProps<'th'> & Align) => (
  <th scope="col" className={classes('h-9 border-b border-border px-4 text-caption font-medium whitespace-nowrap text-muted', numeric ? 'text-right' : 'text-left', className)} {...rest} />
);

export const Tr = ({ className, ...rest }: ComponentProps<'tr'>) => (
  <tr className={classes('border-b border-border last:border-0 hover:bg-sunken/60', className)} {...rest} />
);

export const Td = ({ numeric = false, className, ...rest }: ComponentProps<'td'> & Align) => (
  <td className={classes('h-11 px-4 py-2 align-middle', numeric && 'text-right whitespace-nowrap tabular-nums', className)} {...rest} />
);
