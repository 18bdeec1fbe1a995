import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { deploymentKeys, tryDeployment } from '@/api/deployments';
import { messageOf } from '@/api/problem';
import { useMe } from '@/api/session';
import type { Deployment } from '@/api/types';

import { addToHistory } from './history';
import { type Timing, timingOf } from './timing';

/** What became of a request to one deployment. */
export type Attempt = { kind: 'answered'; body: unknown; timing: Timing } | { kind: 'refused'; message: string };
export type Attempts = ReadonlyMap<string, Attempt>;

const NONE: Attempts = new Map();

export const historyPlace = (userId: string, deploymentId: string): string => `${userId}.${deploymentId}`;

/**
 * Sends a request to deployments one after the other, so that none waits behind another and their times can be compared.
 * Answers appear as they come, by deployment id.
 */
export function useSending(home: Deployment) {
  const { user } = useMe();
  const queryClient = useQueryClient();
  const [attempts, setAttempts] = useState(NONE);
  // What was reset meanwhile must not come back with a late answer.
  const round = useRef(0);

  const { mutate, isPending, reset: settle } = useMutation({
    mutationFn: async ({ text, targets }: { text: string; targets: readonly Deployment[] }) => {
      const mine = (round.current += 1);
      setAttempts(NONE);
      for (const target of targets) {
        if (round.current !== mine) return;
        const attempt = await attemptAt(target, text);
        if (target.id === home.id) remember(historyPlace(user.id, home.id), text, attempt);
        if (round.current === mine) setAttempts((now) => new Map(now).set(target.id, attempt));
      }
      // Only now: asking for the pages' figures meanwhile would take part of the next one's time.
      for (const { id, project_id: projectId } of targets) void queryClient.invalidateQueries({ queryKey: deploymentKeys.one(projectId, id) });
    },
  });
  const reset = () => {
    round.current += 1;
    setAttempts(NONE);
    settle();
  };
  return { send: (text: string, targets: readonly Deployment[]) => mutate({ text, targets }), attempts, isPending, reset };
}

async function attemptAt({ id, project_id: projectId }: Deployment, text: string): Promise<Attempt> {
  const startedAt = performance.now();
  try {
    const { body, serverTiming, cache } = await tryDeployment(projectId, id, text);
    return { kind: 'answered', body, timing: timingOf(serverTiming, performance.now() - startedAt, cache === 'hit') };
  } catch (error) {
    return { kind: 'refused', message: messageOf(error) };
  }
}

function remember(place: string, text: string, attempt: Attempt): void {
  const outcome = attempt.kind === 'answered' ? { ms: attempt.timing.totalMs, fault: null } : { ms: null, fault: attempt.message };
  addToHistory(place, { at: new Date().toISOString(), text, ...outcome });
}
