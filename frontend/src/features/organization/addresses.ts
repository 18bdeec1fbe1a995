/** Addresses as people paste them: `Name <a@b>`, with commas, semicolons or line breaks between; plain ones may stand a space apart. */
export function addressesIn(text: string): string[] {
  const parts = text.replaceAll(/"[^"\n]*"/g, '').split(/[,;\n\r\t]+/);
  return [...new Set(parts.flatMap(addressesInPart))];
}

function addressesInPart(part: string): string[] {
  const bracketed = [...part.matchAll(/<([^<>]*)>/g)].map((it) => it[1]?.trim() ?? '');
  return (bracketed.length > 0 ? bracketed : part.trim().split(/\s+/)).filter(Boolean);
}

export const MOST_AT_ONCE = 100;

/** True, or what is to be mended. */
export function checkAddresses(text: string): true | string {
  const addresses = addressesIn(text);
  const unfit = addresses.filter((it) => !/^[^@\s]+@[^@\s]+$/.test(it));
  if (addresses.length === 0) return 'Enter at least one address.';
  if (unfit.length > 0) return `No e-mail address: ${unfit.join(', ')}.`;
  return addresses.length <= MOST_AT_ONCE || `Invite at most ${MOST_AT_ONCE} people at once; these are ${addresses.length}.`;
}
