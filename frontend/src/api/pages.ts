/** Lists that come in pages. */

interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

interface PageRequest {
  limit: number;
  cursor?: string;
}

const PAGE_SIZE = 100;

/** All items of a list that people keep short (projects, keys), page after page. */
export async function everyPage<T>(fetchPage: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await fetchPage(cursor ? { limit: PAGE_SIZE, cursor } : { limit: PAGE_SIZE });
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return items;
}
