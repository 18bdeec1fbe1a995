/** How uPlot draws our charts: tokens for colours, clock times below, values from zero at the left. */
import uPlot from 'uplot';

import { clock, type Series } from './series';

const HEIGHT = 208;
const AXIS_FONT = '12px "Inter Variable", system-ui, sans-serif';

interface PlotParts {
  element: HTMLElement;
  series: readonly Series[];
  format: (value: number) => string;
  group: string | undefined;
  onCursor: (cursor: { index: number; left: number } | null) => void;
}

export function plotOptions({ element, series, format, group, onCursor }: PlotParts): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (token: string) => style.getPropertyValue(token).trim();
  const grid = { stroke: color('--border'), width: 1 };
  const axis = { stroke: color('--subtle'), font: AXIS_FONT, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [12, 12, 0, 0],
    legend: { show: false },
    cursor: { drag: { setScale: false, x: false, y: false }, points: { size: 7 }, y: false, ...(group ? { sync: { key: group } } : {}) },
    // Half a step of room at both ends, or the first and last bar would be cut.
    scales: {
      x: { range: ({ data: [times] }, first, last) => [first - halfStep(times), last + halfStep(times)] },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 72, values: (_plot, times) => times.map(clock) },
      { ...axis, grid, size: 68, space: 36, values: (_plot, values) => values.map(format) },
    ],
    series: [{}, ...series.map((it) => drawn(it, color(it.color)))],
    hooks: {
      setCursor: [({ cursor: { idx, left } }) => onCursor(typeof idx === 'number' && left !== undefined && left >= 0 ? { index: idx, left: left + 68 } : null)],
    },
  };
}

const halfStep = (times: ArrayLike<number>): number => ((times[1] ?? 0) - (times[0] ?? 0)) / 2;

function drawn({ label, kind }: Series, stroke: string): uPlot.Series {
  if (kind === 'bars') {
    const bars = uPlot.paths.bars?.({ size: [0.7, 14], radius: 0.15 });
    return { label, stroke, fill: stroke, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) };
  }
  return { label, stroke, width: 1.75, points: { show: true, size: 5, fill: stroke, filter: alonePoints } };
}

/** A line needs two neighbours; a value between gaps would not be seen without its point. */
function alonePoints(plot: uPlot, index: number, show: boolean): number[] | null {
  if (!show) return null;
  const values = plot.data[index] ?? [];
  const alone: number[] = [];
  for (let at = 0; at < values.length; at += 1) {
    if (isKnown(values[at]) && !isKnown(values[at - 1]) && !isKnown(values[at + 1])) alone.push(at);
  }
  return alone;
}

const isKnown = (value: number | null | undefined): boolean => value !== null && value !== undefined;
