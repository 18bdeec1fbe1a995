import { Chart, type ChartProps } from './Chart';
import { TIME } from './series';

/** A chart over time. */
export const TimeSeries = (props: Omit<ChartProps, 'axis' | 'isLogarithmic'>) => <Chart {...props} axis={TIME} />;
