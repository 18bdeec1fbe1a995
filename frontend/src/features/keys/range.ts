/** Over how many days a key's calls are shown. */
export const RANGES = { '7d': 7, '30d': 30, '90d': 90 } as const;
export type KeyRange = keyof typeof RANGES;

export const parseRange = ({ range }: Record<string, unknown>): KeyRange => (range === '7d' || range === '90d' ? range : '30d');
