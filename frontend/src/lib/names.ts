/** Names that become part of an address. */

const LONGEST_NAME = 63;

/** What a deployment may be called: lower-case letters, digits and hyphens, like a host name. */
export const isDeploymentName = (name: string): boolean => name.length <= LONGEST_NAME && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name);

/** "Fraud Model_v2" → "fraud-model-v2"; empty where nothing usable is left. */
export function toName(words: string): string {
  const name = words.normalize('NFKD').toLowerCase().replaceAll(/\p{Mark}/gu, '').replaceAll(/[^a-z0-9]+/g, '-');
  return name.replace(/^-+/, '').slice(0, LONGEST_NAME).replace(/-+$/, '');
}
