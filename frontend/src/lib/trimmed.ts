/** For form fields whose ends do not count: the server refuses names that begin or end with a space. */
export const trimmed = (value: string): string => value.trim();
