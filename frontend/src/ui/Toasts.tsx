import { Toaster } from 'sonner';

import { useTheme } from '@/lib/theme';

/** Where toasts appear; the application mounts it once, lazily. */
export default function Toasts() {
  return (
    <Toaster
      theme={useTheme()}
      position="bottom-right"
      closeButton
      toastOptions={{
        duration: 5_000,
        classNames: {
          toast: 'rounded-card! border-border! bg-surface! text-text! shadow-float! font-sans!',
          description: 'text-muted! break-all',
          success: '[&>[data-icon]]:text-ok',
          error: '[&>[data-icon]]:text-danger',
        },
      }}
    />
  );
}
