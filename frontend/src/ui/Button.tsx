import { createLink } from '@tanstack/react-router';
import { LoaderCircle } from 'lucide-react';
import type { AnchorHTMLAttributes, ButtonHTMLAttributes, ReactNode, Ref } from 'react';

import { classes } from '@/lib/classes';

export type ButtonVariant = 'primary' | 'secondary' | 'ghost' | 'danger';
export type ButtonSize = 'small' | 'medium';

interface Look {
  variant?: ButtonVariant | undefined;
  size?: ButtonSize | undefined;
  icon?: ReactNode;
}

const VARIANTS: Record<ButtonVariant, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-hover',
  secondary: 'border border-border-strong bg-surface text-text hover:bg-sunken',
  ghost: 'text-muted hover:bg-sunken hover:text-text',
  danger: 'bg-danger text-on-danger hover:bg-danger-hover',
};

const SIZES: Record<ButtonSize, string> = { small: 'h-7 px-2', medium: 'h-8 px-3' };

const look = ({ variant = 'secondary', size = 'medium' }: Look, extra?: string) =>
  classes(
    'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-control text-label whitespace-nowrap transition-colors duration-100 select-none',
    'disabled:cursor-not-allowed disabled:opacity-55 aria-disabled:cursor-not-allowed aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
    VARIANTS[variant],
    SIZES[size],
    extra,
  );

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, Look {
  /** Shows that the action is under way and refuses a second press. */
  busy?: boolean;
  /** Why this person may not do it: the button stays in reach of keyboards and screen readers, says so, and does nothing. */
  refusal?: string | undefined;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ variant, size, icon, busy = false, refusal, className, children, disabled, type = 'button', ...rest }: ButtonProps) {
  const refused = refusal === undefined ? {} : ({ 'aria-disabled': true, title: refusal, onClick: undefined } as const);
  return (
    <button type={refusal === undefined ? type : 'button'} disabled={disabled || busy} aria-busy={busy || undefined} className={look({ variant, size }, className)} {...rest} {...refused}>
      {busy ? <LoaderCircle aria-hidden className="animate-spin" /> : icon}
      {children}
    </button>
  );
}

/** A square button that shows only an icon; `label` is its name for everyone who cannot see it. */
export function IconButton({ label, icon, className, ...rest }: Omit<ButtonProps, 'children' | 'aria-label'> & { label: string }) {
  return <Button variant="ghost" aria-label={label} title={label} icon={icon} className={classes('w-8 px-0!', className)} {...rest} />;
}

function Anchor({ variant, size, icon, className, children, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & Look) {
  return (
    <a className={look({ variant, size }, className)} {...rest}>
      {icon}
      {children}
    </a>
  );
}

/** A typed router link that looks like a button. */
export const LinkButton = createLink(Anchor);
