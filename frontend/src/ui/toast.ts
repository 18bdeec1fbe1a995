/** Short notes about the result of an action that the page itself does not show. */
import type { ExternalToast } from 'sonner';

import { ApiError, messageOf } from '@/api/problem';

// Nine kilobytes that the first page does not need.
const sonner = () => import('sonner');

export const toast = {
  success: (message: string, options?: ExternalToast): void => void sonner().then((it) => it.toast.success(message, options)),
  /** Errors stay until dismissed. */
  error: (message: string, options?: ExternalToast): void => void sonner().then((it) => it.toast.error(message, { duration: Infinity, ...options })),
  problem: (error: unknown): void => toast.error(messageOf(error), error instanceof ApiError && error.requestId ? { description: `Request ${error.requestId}` } : {}),
};
