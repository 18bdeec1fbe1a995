/** How far a job is, how fast it goes, and when it will be done. */
import type { BatchJob } from '@/api/types';

/** Rows dealt with at a moment (ms since the epoch). */
export interface Sample {
  at: number;
  rows: number;
}

/** A rate over less than this is noise. */
const STEADY_MS = 1_500;

export const isOver = ({ state }: BatchJob): boolean => state !== 'queued' && state !== 'running';

/** A job goes on where it stopped, unless the deployment that it called is gone. */
export const canResume = ({ state, deployment_id }: BatchJob): boolean => (state === 'failed' || state === 'cancelled') && deployment_id !== null;

/** From 0 to 1; the total of a text file is an estimate, so a job that runs is never quite there. */
export function shareOf({ state, rows_done, rows_failed, rows_total }: BatchJob): number {
  if (state === 'succeeded') return 1;
  return rows_total === 0 ? 0 : Math.min((rows_done + rows_failed) / rows_total, 0.999);
}

/** Rows a second over the samples; null while there is too little to tell. */
export function rateOf(samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at - first.at < STEADY_MS || last.rows <= first.rows) return null;
  return (1000 * (last.rows - first.rows)) / (last.at - first.at);
}

/** "about 40 s left"; null where nobody can tell. */
export function timeLeft({ rows_total, rows_done, rows_failed }: BatchJob, rate: number | null): string | null {
  if (rate === null) return null;
  return `about ${durationWords(Math.max(0, rows_total - rows_done - rows_failed) / rate)} left`;
}

/** 5 → "5 s", 150 → "3 min", 9000 → "2.5 h". */
export function durationWords(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Number((seconds / 3600).toFixed(1))} h`;
}
