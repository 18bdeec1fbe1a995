/** The token that proves a write comes from this console and not from another site. */

let remembered: string | null = null;

/** Keeps the token an answer carried, for when the cookie cannot be found under this page's port (a proxy, the dev server). */
export function rememberCsrfToken(token: string | null): void {
  remembered = token;
}

/** The session's token; the cookie wins, since another tab may have renewed it. */
export function csrfToken(): string | null {
  const port = location.port || (location.protocol === 'https:' ? '443' : '80');
  const prefix = `headrace_csrf_${port}=`;
  const cookie = document.cookie.split('; ').find((it) => it.startsWith(prefix));
  return cookie ? decodeURIComponent(cookie.slice(prefix.length)) : remembered;
}
