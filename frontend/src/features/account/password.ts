import { useMe } from '@/api/session';

/** Why what asks for the password cannot be done: whoever signs in elsewhere has none. */
export const usePasswordRefusal = (): string | undefined => (useMe().has_password ? undefined : 'Set a password first.');
