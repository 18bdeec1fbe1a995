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
