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
      className="flex h-full flex-col-reverse justify-end gap-1 rounded-card border border-border bg-surface p-3 transition-colors duration-100 hover:border-border-strong sm:p-4"
    >
      <span className="text-caption text-muted sm:text-body">{label}</span>
      <span className="text-display tabular-nums">{value}</span>
    </a>
  </li>
);

export const Figure = createLink(FigureCard);
