/** What the address of a deployment's page says beyond the deployment: the open tab and the time range of the charts. */
import * as z from 'zod/mini';

export const TABS = ['try', 'requests', 'settings', 'code', 'revisions', 'workers'] as const;
export type TabName = (typeof TABS)[number];

/** Time ranges, in minutes. */
export const RANGES = { '15m': 15, '1h': 60, '6h': 360, '24h': 1440 } as const;
export const RANGE_NAMES = ['15m', '1h', '6h', '24h'] as const;
export type RangeName = (typeof RANGE_NAMES)[number];

const tabSearch = z.object({ tab: z.enum(TABS) });
/** Names of the deployments that "try it" compares with, separated by commas. */
const DEPLOYMENT_NAMES = /^[a-z0-9-]{1,63}(,[a-z0-9-]{1,63})?$/;
export const MOST_OTHERS = 2;

const compareSearch = z.object({ compare: z.string().check(z.regex(DEPLOYMENT_NAMES)) });
const rangeSearch = z.object({ range: z.enum(RANGE_NAMES) });

export interface DeploymentSearch {
  tab?: TabName | undefined;
  range?: RangeName | undefined;
  compare?: string | undefined;
}

/**
 * A bad value falls back to the default, which is absent from the address.
 * The router lays this over the raw values: what is bad must be named as undefined to be gone.
 */
export function parseDeploymentSearch(search: Record<string, unknown>): DeploymentSearch {
  const tab = tabSearch.safeParse(search);
  const range = rangeSearch.safeParse(search);
  const compare = compareSearch.safeParse(search);
  return { tab: tab.data?.tab, range: range.data?.range, compare: compare.data?.compare };
}
