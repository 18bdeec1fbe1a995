import type { Traffic } from '@/api/types';
import type { ChartData } from '@/charts/series';

const DAY_MS = 86_400_000;

/** Requests and errors of each of the last `days` days (UTC) with today, whether there were any or not. */
export function dailySeries({ days: counted }: Pick<Traffic, 'days'>, days: number, nowMs: number): ChartData {
  const byDay = new Map(counted.map((it) => [Math.floor(new Date(it.day).getTime() / DAY_MS), it]));
  const today = Math.floor(nowMs / DAY_MS);
  const shown = Array.from({ length: days }, (_, index) => today - days + 1 + index);
  return {
    at: shown.map((day) => (day * DAY_MS) / 1000),
    series: [
      { label: 'Requests', kind: 'bars', color: '--series-1', values: shown.map((day) => byDay.get(day)?.requests ?? 0) },
      { label: 'Errors', kind: 'bars', color: '--danger', values: shown.map((day) => byDay.get(day)?.errors ?? 0) },
    ],
  };
}
