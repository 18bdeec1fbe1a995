import type { KeyHistory, KeyPoint } from '@/api/types';
import type { ChartData } from '@/charts/series';

/** Answered well, failed and refused calls of each step of the range; a step without calls counts zero. */
export function historySeries({ from, to, step_s: step, points }: KeyHistory): ChartData {
  const at = (time: string) => Math.floor(new Date(time).getTime() / 1000 / step);
  const byStep = new Map(points.map((point) => [at(point.time), point]));
  const steps = Array.from({ length: Math.max(0, at(to) - at(from)) }, (_, index) => at(from) + index);
  const count = (read: (point: KeyPoint) => number) => steps.map((it) => read(byStep.get(it) ?? NOTHING));
  return {
    at: steps.map((it) => it * step),
    series: [
      { label: 'Requests', kind: 'bars', color: '--series-1', values: count((it) => it.requests) },
      { label: 'Errors', kind: 'bars', color: '--danger', values: count((it) => it.errors) },
      { label: 'Refused by limits', kind: 'bars', color: '--series-4', values: count((it) => it.refused) },
    ],
  };
}

const NOTHING: KeyPoint = { time: '', requests: 0, errors: 0, refused: 0 };
