import { refusal } from './refusal.ts';
import { tableKeys } from './shapes.ts';
import type { TableShape } from './shapes.ts';
import { typeOf } from './value.ts';
import type { Item, Value } from './value.ts';

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

const bytesMax = { pk: 2_048, sk: 1_024 };
const itemBytesMax = 409_600;

/** Reads the key of a request, which has nothing else. */
export function keyOf(given: Item): Key {
  if (Object.keys(given).length !== tableKeys.length) throw noMatch();
  return keyIn(given);
}

/** The key of an item. */
export function keyIn(item: Item): Key {
  const { pk, sk } = item;
  if (typeof pk !== 'string' || typeof sk !== 'string') throw noMatch();
  for (const [name, text] of [
    ['pk', pk],
    ['sk', sk],
  ] as const) {
    if (text === '')
      throw refusal(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
      );
    if (text.length * 3 > bytesMax[name] && Buffer.byteLength(text) > bytesMax[name])
      throw refusal(`One or more parameter values were invalid: the key ${name} is too long`);
  }
  return { pk, sk };
}

function noMatch() {
  return refusal('The provided key element does not match the schema');
}

/** Refuses an item that an index could not hold, or that is too large. */
export function checkItem(item: Item, shape: TableShape, bytes: number): void {
  for (const { partition, sort } of shape.indexes) {
    checkIndexKey(shape, partition, item[partition]);
    checkIndexKey(shape, sort, item[sort]);
  }
  if (bytes > itemBytesMax) throw refusal('Item size has exceeded the maximum allowed size');
}

/** Refuses a value that no index whose key it is could hold. */
export function checkIndexKey({ indexes }: TableShape, name: string, value: Value | undefined): void {
  if (value === undefined || (typeof value === 'string' && value !== '')) return;
  const index = indexes.find(({ partition, sort }) => name === partition || name === sort);
  if (index === undefined) return;
  const actual = value === '' ? 'an empty string' : typeOf(value);
  throw refusal(
    `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: S Actual: ${actual} IndexName: ${index.name}`,
  );
}
