/** What the server asks of a password, said before it is sent. */
const MIN_PASSWORD_BYTES = 10;
/** What bcrypt takes into account. */
const MAX_PASSWORD_BYTES = 72;

/** True, or what is wrong. */
export function checkPassword(password: string): true | string {
  const bytes = new TextEncoder().encode(password).length;
  if (bytes < MIN_PASSWORD_BYTES) return 'Use at least 10 characters.';
  return bytes <= MAX_PASSWORD_BYTES || 'Use at most 72 characters (fewer with accents or symbols).';
}
