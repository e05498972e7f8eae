import { test } from 'vitest';
import { rows } from './rows.ts';
import type { RowId } from './rows.ts';

/** A test that holds a stand-in to what AWS was recorded to answer; `document.test.ts` sees to it that every row has one. */
export function recorded(id: RowId, check: () => void | Promise<void>): void {
  const { service, semantic } = rows[id];
  test(`${service}: ${semantic}`, check);
}
