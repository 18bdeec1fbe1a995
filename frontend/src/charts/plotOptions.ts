/** How uPlot draws our charts: tokens for colours, the axis below, values at the left. */
import uPlot from 'uplot';

import type { Axis, Series } from './series';

const HEIGHT = 208;
const AXIS_FONT = '12px "Inter Variable", system-ui, sans-serif';

interface PlotParts {
  element: HTMLElement;
  series: readonly Series[];
  axis: Axis;
  format: (value: number) => string;
  group: string | undefined;
  isLogarithmic: boolean;
  onCursor: (cursor: { index: number; left: number } | null) => void;
}

export function plotOptions({ element, series, axis: places, format, group, isLogarithmic, onCursor }: PlotParts): uPlot.Options {
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
    scales: { x: places.isLogarithmic ? POWERS_OF_TWO : EVEN_STEPS, y: isLogarithmic ? BY_RATIO : FROM_ZERO },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 72, values: (_plot, at) => at.map((it) => (it === null ? '' : places.short(it))), ...(places.isLogarithmic ? AT_EVERY_PLACE : {}) },
      { ...axis, grid: isLogarithmic ? { ...grid, filter: roundNumbers } : grid, size: 68, space: 36, values: (_plot, values) => values.map((it) => (it === null ? '' : format(it))) },
    ],
    series: [{}, ...series.map((it) => drawn(it, color(it.color)))],
    hooks: {
      setCursor: [({ cursor: { idx, left } }) => onCursor(typeof idx === 'number' && left !== undefined && left >= 0 ? { index: idx, left: left + 68 } : null)],
    },
  };
}

// Half a step of room at both ends, or the first and last bar would be cut.
const EVEN_STEPS: uPlot.Scale = { range: ({ data: [at] }, first, last) => [first - halfStep(at), last + halfStep(at)] };
const POWERS_OF_TWO: uPlot.Scale = { time: false, distr: 3, log: 2, range: (_plot, first, last) => [first / 1.2, last * 1.2] };
const FROM_ZERO: uPlot.Scale = { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] };
const BY_RATIO: uPlot.Scale = { distr: 3, log: 10, range: (_plot, low, high) => uPlot.rangeLog(low, high, 10, true) };

/** Of the lines of a power of ten, those at 1, 2 and 5. */
const roundNumbers = (_plot: uPlot, values: number[]): (number | null)[] =>
  values.map((it) => ([1, 2, 5].includes(Math.round(it / 10 ** Math.floor(Math.log10(it) + 1e-9))) ? it : null));

/** Room of one label below the axis, px. */
const LABEL_WIDTH = 36;
/** The places themselves below the axis; fewer where there is no room for all. */
const AT_EVERY_PLACE: Partial<uPlot.Axis> = {
  splits: ({ data: [at] }) => [...at],
  filter: ({ width }, at) => {
    const step = Math.ceil((at.length * LABEL_WIDTH) / Math.max(width - 80, LABEL_WIDTH));
    return at.map((it, index) => (index % step === 0 ? it : null));
  },
};

const halfStep = (times: ArrayLike<number>): number => ((times[1] ?? 0) - (times[0] ?? 0)) / 2;

function drawn({ label, kind, hasPoints = false }: Series, stroke: string): uPlot.Series {
  if (kind === 'bars') {
    const bars = uPlot.paths.bars?.({ size: [0.7, 14], radius: 0.15 });
    return { label, stroke, fill: stroke, width: 0, points: { show: false }, ...(bars ? { paths: bars } : {}) };
  }
  return { label, stroke, width: 1.75, points: { show: true, size: hasPoints ? 6 : 5, fill: stroke, ...(hasPoints ? {} : { filter: alonePoints }) } };
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
