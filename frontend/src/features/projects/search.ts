/** What the list of projects shows, as it stands in the address. */

export const STATES = ['active', 'archived', 'deleted'] as const;
export type ProjectState = (typeof STATES)[number];

export interface ProjectFilters {
  q?: string | undefined;
  state?: ProjectState | undefined;
  tag?: string[] | undefined;
}

/** Whatever somebody wrote into the address; what makes no sense is left out, and so is what goes without saying. */
export function parseFilters({ q, state, tag }: Record<string, unknown>): ProjectFilters {
  const tags = (Array.isArray(tag) ? tag : [tag]).filter((it): it is string => typeof it === 'string' && /^[a-z0-9][a-z0-9._:/=-]{0,31}$/.test(it)).slice(0, 20);
  return {
    q: typeof q === 'string' && q ? q.slice(0, 200) : undefined,
    state: STATES.find((it) => it === state && it !== 'active'),
    tag: tags.length > 0 ? tags : undefined,
  };
}
