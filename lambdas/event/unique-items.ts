import { canonicalText } from '../shared/json.ts';

/** Whether no two items are the same, as JSON Schema has it: the order of an object's fields does not count. */
export function areUnique(items: readonly unknown[]): boolean {
  return new Set(items.map(canonicalText)).size === items.length;
}
