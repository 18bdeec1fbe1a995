import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ReactNode } from 'react';

interface FigureProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  label: string;
  value: ReactNode;
}

/** One number and where it comes from: the whole card is the link. */
const FigureCard = ({ label, value, ...anchor }: FigureProps) => (
  <li>
    <a
      {...anchor}
      className="flex items-baseline justify-between gap-3 rounded-card border border-border bg-surface p-4 transition-colors duration-100 hover:border-border-strong sm:flex-col-reverse sm:items-start sm:gap-1"
    >
      <span className="text-body text-muted">{label}</span>
      <span className="text-display tabular-nums">{value}</span>
    </a>
  </li>
);

export const Figure = createLink(FigureCard);
