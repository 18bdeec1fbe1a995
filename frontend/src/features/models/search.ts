/** What the address of a model's page says beyond the model. */
import * as z from 'zod/mini';

const modelSearch = z.object({ version: z.int().check(z.positive()) });

/** Which version is on show; absent, the latest. A bad value falls back to that, named as undefined since the router lays this over the raw one. */
export function parseModelSearch(search: Record<string, unknown>): { version?: number | undefined } {
  return { version: modelSearch.safeParse(search).data?.version };
}
