/** Lists that the API answers page by page. */
import type { InfiniteData } from '@tanstack/react-query';

interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

/** How to get on from one page to the next; `pageParam` is what the query string takes. */
export const paging = {
  initialPageParam: {},
  getNextPageParam: ({ next_cursor: cursor }: Page<unknown>): { cursor?: string } | undefined => (cursor ? { cursor } : undefined),
};

/** The pages that were loaded as one list. */
export const allItems = <Item>({ pages }: InfiniteData<Page<Item>>): Item[] => pages.flatMap((page) => page.items);

const PAGE_SIZE = 100;

/** All items of a list that people keep short (projects, keys), page after page. */
export async function everyPage<Item>(fetchPage: (query: { limit: number; cursor?: string }) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  let next: { cursor?: string } | undefined = paging.initialPageParam;
  while (next) {
    const page: Page<Item> = await fetchPage({ limit: PAGE_SIZE, ...next });
    items.push(...page.items);
    next = paging.getNextPageParam(page);
  }
  return items;
}
