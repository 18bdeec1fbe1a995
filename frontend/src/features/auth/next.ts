/** Where to go after signing in: a path on this site, never another site. */

const KEPT = 'sign-in-next';

/** `next`, if it is a path here: browsers read `/\` like `//`, and leave out tabs and line breaks. */
export function pathHere(next: unknown): string | undefined {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) && [...next].every((it) => it > '\u001f' && it !== '\u007f') ? next : undefined;
}

/** Keeps it in this tab for the way over a provider. */
export function keepNext(next: string | undefined): void {
  if (next) sessionStorage.setItem(KEPT, next);
  else sessionStorage.removeItem(KEPT);
}

/** What was kept, once. */
export function takeNext(): string | undefined {
  const next = pathHere(sessionStorage.getItem(KEPT));
  sessionStorage.removeItem(KEPT);
  return next;
}
