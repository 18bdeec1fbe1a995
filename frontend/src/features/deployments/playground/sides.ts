/** The deployments of a comparison, the page's own first, and what each has made of the request so far. */
import type { Deployment } from '@/api/types';

import { compare, type OutputDifference } from './comparison';
import { type InferOutput, labelsOf, parseAnswer } from './protocol';
import type { Timing } from './timing';
import type { Attempt, Attempts } from './useSending';

export interface Side {
  deployment: Deployment;
  state: SideState;
}

export type SideState =
  | { kind: 'waiting' }
  | { kind: 'refused'; message: string }
  | { kind: 'answered'; body: unknown; outputs: readonly InferOutput[]; labels: readonly string[]; timing: Timing };

/** What differs from the first deployment's answer, by deployment id. */
export type Differences = ReadonlyMap<string, readonly OutputDifference[]>;

export const sidesOf = (deployments: readonly Deployment[], attempts: Attempts): Side[] =>
  deployments.map((deployment) => ({ deployment, state: stateOf(deployment, attempts.get(deployment.id)) }));

function stateOf({ revision }: Deployment, attempt: Attempt | undefined): SideState {
  if (!attempt) return { kind: 'waiting' };
  if (attempt.kind === 'refused') return attempt;
  const answer = parseAnswer(attempt.body);
  if (!answer.ok) return { kind: 'refused', message: `the answer is not as the protocol says (${answer.fault})` };
  return { ...attempt, outputs: answer.value.outputs, labels: labelsOf(revision.model_version.metadata) };
}

export function differencesOf([base, ...others]: readonly Side[], tolerance: number): Differences {
  const found = new Map<string, OutputDifference[]>();
  if (base?.state.kind !== 'answered') return found;
  for (const { deployment, state } of others) {
    if (state.kind === 'answered') found.set(deployment.id, compare(base.state.outputs, state.outputs, tolerance));
  }
  return found;
}
