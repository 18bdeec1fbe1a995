/** Which entries the address of the audit page asks for. */
import * as z from 'zod/mini';

const text = z.string().check(z.minLength(1), z.maxLength(254));
const day = z.string().check(z.regex(/^\d{4}-\d{2}-\d{2}$/), z.refine((it) => !Number.isNaN(Date.parse(it))));
const FIELDS = { actor: text, action: text, target: text, project: z.uuid(), from: day, to: day };

export type AuditSearch = { [Name in keyof typeof FIELDS]?: string | undefined };

/** Values that are none are left out, named as undefined since the router lays this over the raw ones. */
export function parseAuditSearch(search: Record<string, unknown>): AuditSearch {
  return {
    actor: FIELDS.actor.safeParse(search.actor).data,
    action: FIELDS.action.safeParse(search.action).data,
    target: FIELDS.target.safeParse(search.target).data,
    project: FIELDS.project.safeParse(search.project).data,
    from: FIELDS.from.safeParse(search.from).data,
    to: FIELDS.to.safeParse(search.to).data,
  };
}

/** The entry that a link leads to, by its number. */
export const parseEntry = ({ entry }: Record<string, unknown>): number | undefined => (Number.isSafeInteger(entry) && Number(entry) > 0 ? Number(entry) : undefined);

/** The same as the API takes it: days are the reader's, and the last one counts. */
export function toQuery({ from, to, project, ...rest }: AuditSearch): Record<string, string> {
  const given = { ...rest, project_id: project, ...(from ? { from: new Date(`${from}T00:00:00`).toISOString() } : {}), ...(to ? { to: endOf(to) } : {}) };
  return Object.fromEntries(Object.entries(given).filter((it): it is [string, string] => it[1] !== undefined));
}

function endOf(to: string): string {
  const end = new Date(`${to}T00:00:00`);
  end.setDate(end.getDate() + 1);
  return end.toISOString();
}
