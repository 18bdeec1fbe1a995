/** What this browser keeps for a person between visits. Never anything secret; gone when they log out. */

const PREFIX = 'headrace.kept.';

export const kept = (name: string): string | null => localStorage.getItem(PREFIX + name);

/** False if the browser has no room for it, or does not allow keeping anything. */
export function keep(name: string, text: string): boolean {
  try {
    localStorage.setItem(PREFIX + name, text);
    return true;
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
}

export const drop = (name: string): void => localStorage.removeItem(PREFIX + name);

export function forgetKept(): void {
  for (const name of Object.keys(localStorage)) if (name.startsWith(PREFIX)) localStorage.removeItem(name);
}
