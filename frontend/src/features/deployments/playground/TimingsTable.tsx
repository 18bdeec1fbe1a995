import { formatMicroseconds } from '@/lib/format';
import { Table, Td, Th, Tr } from '@/ui/Table';

import type { Side } from './sides';
import { PARTS, type Timing } from './timing';

interface Line {
  label: string;
  note: string;
  read: (timing: Timing) => number | undefined;
}

const LINES: readonly Line[] = [
  ...PARTS.map(({ label, note, name }): Line => ({ label, note, read: ({ parts }) => parts[name] })),
  { label: 'Total', note: 'as this browser saw it', read: ({ totalMs }) => totalMs },
];

/** Where the time of each deployment's answer went. They were asked one after the other. */
export function TimingsTable({ sides }: { sides: readonly Side[] }) {
  const timings = sides.map(({ state }) => (state.kind === 'answered' ? state.timing : undefined));
  const told = LINES.filter(({ read }) => timings.some((it) => it !== undefined && read(it) !== undefined));
  if (told.length === 0) return null;
  return (
    <Table
      label="Timings"
      head={
        <>
          <Th>Time</Th>
          {sides.map(({ deployment: { id, name }, state }) => (
            <Th key={id} numeric>
              {name}
              {state.kind === 'answered' && state.timing.isFromCache && ' (from the cache)'}
            </Th>
          ))}
        </>
      }
    >
      {told.map(({ label, note, read }) => (
        <Tr key={label}>
          <Td>
            <span className="font-medium">{label}</span> <span className="text-subtle max-sm:sr-only">{note}</span>
          </Td>
          {sides.map(({ deployment: { id } }, index) => (
            <TimeCell key={id} ms={valueOf(timings[index], read)} base={index === 0 ? undefined : valueOf(timings[0], read)} />
          ))}
        </Tr>
      ))}
    </Table>
  );
}

const valueOf = (timing: Timing | undefined, read: Line['read']): number | undefined => (timing ? read(timing) : undefined);

const TimeCell = ({ ms, base }: { ms: number | undefined; base: number | undefined }) => (
  <Td numeric>
    {formatMicroseconds(ms === undefined ? null : ms * 1000)}{' '}
    {ms !== undefined && base !== undefined && <span className="block text-caption text-subtle">{gapWords(ms - base)}</span>}
  </Td>
);

const gapWords = (ms: number): string => (ms === 0 ? 'the same' : `${ms < 0 ? '−' : '+'}${formatMicroseconds(Math.abs(ms) * 1000)}`);
