/** Renews the session once, however many requests and tabs find it expired at the same time. */
import { csrfToken, rememberCsrfToken } from './csrf';

const REFRESHED_AT = 'headrace.refreshed-at';
const TIMEOUT_MS = 10_000;

let underWay: Promise<boolean> | null = null;

/** True if the session is good again. `sentAt` (ms) is when the request that found it expired had been sent. */
export function renewSession(sentAt: number): Promise<boolean> {
  underWay ??= oneTabAtATime(() => renewUnlessDone(sentAt)).finally(() => {
    underWay = null;
  });
  return underWay;
}

/** A refresh token works once; two tabs using the same one would look like theft and end the session. */
function oneTabAtATime(work: () => Promise<boolean>): Promise<boolean> {
  // Web Locks exist only in secure contexts; on plain http from another machine a second tab may have to sign in again.
  return 'locks' in navigator ? navigator.locks.request('headrace.refresh', work) : work();
}

async function renewUnlessDone(sentAt: number): Promise<boolean> {
  if (Number(localStorage.getItem(REFRESHED_AT) ?? 0) > sentAt) return true;
  const response = await fetch('/api/v1/auth/refresh', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrfToken() ?? '' },
    body: '{}',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) return false;
  const session: { csrf_token?: string | null } = await response.json();
  rememberCsrfToken(session.csrf_token ?? null);
  localStorage.setItem(REFRESHED_AT, String(Date.now()));
  return true;
}
