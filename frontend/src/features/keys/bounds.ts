/** What a key is for and where it may be used: as it is typed, as it is sent, and in a few words. */
import type { Key } from '@/api/types';

export interface Bounds {
  deployments: string[] | null;
  networks: string[];
}

/** No deployment ticked means all; one network a line. */
export interface BoundsDraft {
  deployments: string[];
  networks: string;
}

export const NO_BOUNDS: BoundsDraft = { deployments: [], networks: '' };

export const boundsDraftOf = ({ deployments, networks }: Key): BoundsDraft => ({ deployments: deployments ?? [], networks: networks.join('\n') });

export const boundsOf = ({ deployments, networks }: BoundsDraft): Bounds => ({
  deployments: deployments.length > 0 ? deployments : null,
  networks: networks.split(/[\s,]+/).filter((it) => it !== ''),
});

/** What bounds a key, if anything does. */
export function boundWordsOf({ deployments, networks }: Key): string[] {
  const words: string[] = [];
  if (deployments) words.push(deployments.length === 1 ? '1 deployment only' : `${deployments.length} deployments only`);
  if (networks.length > 0) words.push(networks.length > 2 ? `from ${networks.length} networks` : `from ${networks.join(', ')}`);
  return words;
}
