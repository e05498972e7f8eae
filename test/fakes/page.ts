import type { z } from 'zod';
import { cursorAt, positionOf } from '../../lambdas/shared/page.ts';
import type { Page, PageQuery } from '../../lambdas/shared/page.ts';

/** A list's order, and how its cursors name the place of an item. */
export interface Listing<Item> {
  readonly order: 'ascending' | 'descending';
  readonly position: z.ZodType<readonly string[]>;
  readonly placeOf: (item: Item) => readonly string[];
}

/** A page of a list, as a Query with a limit gives it: at most so many items, from where the cursor stands. */
export function pageOf<Item>(
  items: readonly Item[],
  { limit, cursor }: PageQuery,
  { order, position, placeOf }: Listing<Item>,
): Page<Item> {
  const isBefore = (a: string, b: string) => (order === 'ascending' ? a < b : a > b);
  const textOf = (item: Item) => placeOf(item).join(' ');
  const after = cursor === undefined ? undefined : positionOf(cursor, position).join(' ');
  const rest = items
    .filter((item) => after === undefined || isBefore(after, textOf(item)))
    .toSorted((a, b) => (isBefore(textOf(a), textOf(b)) ? -1 : 1));
  const data = rest.slice(0, limit);
  const last = data.at(-1);
  return { data, nextCursor: last === undefined || rest.length <= limit ? null : cursorAt(placeOf(last)) };
}
