import type { Page, PageQuery } from '../../lambdas/shared/page.ts';

/** All items of a list, page after page, as somebody reads it who follows `nextCursor`; no page may be too long. */
export async function collect<Item>(
  list: (query: PageQuery) => Promise<Page<Item>>,
  limit = 2,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 100; pages += 1) {
    const page = await list({ limit, cursor });
    if (page.data.length > limit) throw new Error(`a page of ${page.data.length} was asked to have ${limit}`);
    items.push(...page.data);
    if (page.nextCursor === null) return items;
    cursor = page.nextCursor;
  }
  throw new Error('the list finds no end');
}
