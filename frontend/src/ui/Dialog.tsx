import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, useRef } from 'react';

import { returnFocus } from '@/lib/returnFocus';

import { IconButton } from './Button';

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  /** False while work is under way or a secret is on show that would be lost: Escape and the backdrop then do nothing. */
  dismissible?: boolean;
  children: ReactNode;
}

/** A modal dialog; focus returns to what opened it. */
export function Dialog({ open, onOpenChange, title, description, dismissible = true, children }: DialogProps) {
  const hold = (event: Event) => {
    if (!dismissible) event.preventDefault();
  };
  // Radix returns focus to its own trigger only; these dialogs are opened by state, from anywhere.
  const opener = useRef<Element>(null);
  const close = (event: Event) => {
    event.preventDefault();
    returnFocus(opener.current);
  };
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 grid animate-fade place-items-center overflow-y-auto bg-scrim p-4">
          <Radix.Content
            onOpenAutoFocus={() => (opener.current = document.activeElement)}
            onCloseAutoFocus={close}
            onEscapeKeyDown={hold}
            onPointerDownOutside={hold}
            {...(description ? {} : { 'aria-describedby': undefined })}
            className="relative w-full max-w-120 animate-enter rounded-card border border-border bg-surface shadow-float focus:outline-none"
          >
            <header className="flex flex-col gap-1 px-5 pt-5 pr-14">
              <Radix.Title className="text-section break-words">{title}</Radix.Title>
              {description && <Radix.Description className="text-body text-muted">{description}</Radix.Description>}
            </header>
            <div className="p-5">{children}</div>
            {/* Last, so that focus starts at the first field. */}
            {dismissible && (
              <Radix.Close asChild>
                <IconButton label="Close" icon={<X />} className="absolute top-4 right-4" />
              </Radix.Close>
            )}
          </Radix.Content>
        </Radix.Overlay>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The buttons of a dialog or form, the one that matters last. */
export const DialogActions = ({ children }: { children: ReactNode }) => <div className="mt-6 flex flex-wrap justify-end gap-2">{children}</div>;
