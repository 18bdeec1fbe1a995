import type { AuditEntry } from '@/api/types';

type Document = Record<string, unknown>;

const shown = (value: unknown): string => (value === undefined || value === null ? '–' : typeof value === 'string' ? value : JSON.stringify(value));

/** What became of each field: those that differ, or all of what is new or gone. */
function changedFields(before: Document, after: Document): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** The difference that an entry made. */
export function Changes({ of: { before, after } }: { of: AuditEntry }) {
  const old: Document = before ?? {};
  const now: Document = after ?? {};
  const names = changedFields(old, now);
  if (names.length === 0) return <p className="text-body text-muted">Nothing about it was written down as different.</p>;
  return (
    <table className="w-full text-table">
      <thead>
        <tr className="text-left text-caption text-muted">
          <th scope="col" className="py-1 pr-4 font-medium">
            Field
          </th>
          <th scope="col" className="py-1 pr-4 font-medium">
            Before
          </th>
          <th scope="col" className="py-1 font-medium">
            After
          </th>
        </tr>
      </thead>
      <tbody className="font-mono text-code">
        {names.map((name) => (
          <tr key={name} className="align-top">
            <th scope="row" className="py-1 pr-4 text-left font-normal">
              {name}
            </th>
            <td className="py-1 pr-4 break-all text-danger">{before ? shown(old[name]) : '–'}</td>
            <td className="py-1 break-all text-accent">{after ? shown(now[name]) : '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
