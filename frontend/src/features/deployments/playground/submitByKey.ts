import type { KeyboardEvent } from 'react';

/** Ctrl or ⌘ with Enter sends the form, from fields in which Enter alone means something else. */
export function submitByKey(event: KeyboardEvent<HTMLInputElement | HTMLTextAreaElement>): void {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
}
