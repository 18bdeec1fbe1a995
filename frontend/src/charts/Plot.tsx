import 'uplot/dist/uPlot.min.css';

import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';

import { useTheme } from '@/lib/theme';

import { plotOptions } from './plotOptions';
import type { Axis, ChartData } from './series';

interface PlotProps {
  summary: string;
  data: ChartData;
  axis: Axis;
  format: (value: number) => string;
  group: string | undefined;
  isLogarithmic: boolean;
}

/** Where the cursor stands: an index into the places, and its distance from the left edge in px. */
interface Cursor {
  index: number;
  left: number;
}

/** The canvas of a chart. Loaded lazily: uPlot is needed on few pages. */
export default function Plot(props: PlotProps) {
  const theme = useTheme();
  // A canvas cannot take its colours from CSS: another theme, or other series, is another plot.
  const shape = props.data.series.map((it) => `${it.label} ${it.color} ${it.kind}`).join();
  return <Drawn key={`${theme} ${shape}`} {...props} />;
}

function Drawn({ summary, data, axis, format, group, isLogarithmic }: PlotProps) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const latest = useRef(data);
  const [cursor, setCursor] = useState<Cursor | null>(null);

  useEffect(() => {
    latest.current = data;
    plot.current?.setData(aligned(data));
  }, [data]);

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const options = plotOptions({ element, series: latest.current.series, axis, format, group, isLogarithmic, onCursor: setCursor });
    const drawn = new uPlot(options, aligned(latest.current), element);
    plot.current = drawn;
    const resizing = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: options.height }));
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [axis, format, group, isLogarithmic]);

  const moveTo = (index: number) => {
    const place = data.at[index];
    if (place !== undefined) plot.current?.setCursor({ left: plot.current.valToPos(place, 'x'), top: 0 });
  };

  return (
    <div className="relative">
      <div ref={holder} role="img" aria-label={summary} className="h-52 w-full" />
      {cursor && <Reading cursor={cursor} data={data} axis={axis} format={format} />}
      {data.at.length > 0 && (
        // The same cursor for the keyboard: a slider over the places whose value is read out.
        <input
          type="range"
          aria-label="Read the chart point by point"
          aria-valuetext={spoken(cursor?.index ?? data.at.length - 1, data, axis, format)}
          min={0}
          max={data.at.length - 1}
          value={cursor?.index ?? data.at.length - 1}
          onChange={(event) => moveTo(event.target.valueAsNumber)}
          onBlur={() => setCursor(null)}
          className="sr-only focus-visible:not-sr-only focus-visible:w-full focus-visible:accent-accent"
        />
      )}
    </div>
  );
}

const aligned = ({ at, series }: ChartData): uPlot.AlignedData => [[...at], ...series.map((it) => [...it.values])];

const reading = (value: number | null | undefined, format: (value: number) => string): string => (value === null || value === undefined ? '–' : format(value));

function spoken(index: number, { at, series }: ChartData, axis: Axis, format: (value: number) => string): string {
  return `${axis.short(at[index] ?? 0)}: ${series.map((it) => `${it.label} ${reading(it.values[index], format)}`).join(', ')}`;
}

function Reading({ cursor: { index, left }, data, axis, format }: { cursor: Cursor; data: ChartData; axis: Axis; format: (value: number) => string }) {
  const place = data.at[index];
  if (place === undefined) return null;
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute top-1 z-10 flex flex-col gap-0.5 rounded-control border border-border bg-surface px-2.5 py-1.5 text-caption shadow-float"
      style={{ left: `min(${left}px + 12px, 100% - 12rem)` }}
    >
      <span className="text-subtle">{axis.full(place)}</span>
      {data.series.map((it) => (
        <span key={it.label} className="flex items-center gap-1.5 tabular-nums">
          <span className="size-2 rounded-full" style={{ background: `var(${it.color})` }} />
          {it.label} <strong className="ml-auto pl-3 font-medium">{reading(it.values[index], format)}</strong>
        </span>
      ))}
    </div>
  );
}
