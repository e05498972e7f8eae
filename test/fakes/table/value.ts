import { compareText } from './text.ts';

/** What an attribute may hold: what the document client takes, but for sets and large numbers, which no store uses. */
export type Value = string | number | boolean | null | Uint8Array | readonly Value[] | Item;

export interface Item {
  readonly [name: string]: Value;
}

export type Type = 'S' | 'N' | 'BOOL' | 'NULL' | 'B' | 'L' | 'M';

/**
 * A copy of what was handed in, as the document client would send it: without what is undefined.
 *
 * @throws TypeError, as the client does, for what has no type in DynamoDB.
 */
export function taken(value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return takenNumber(value);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.filter((one: unknown) => one !== undefined).map(taken);
  if (isPlain(value)) return takenItem(value);
  throw new TypeError(`Unsupported type passed: ${typeof value}`);
}

/** The same of a whole item, or of any map. */
export function takenItem(value: Readonly<Record<string, unknown>>): Item {
  const item: Record<string, Value> = {};
  for (const name in value) {
    const one = value[name];
    if (one !== undefined) item[name] = taken(one);
  }
  return item;
}

function takenNumber(value: number): number {
  if (!Number.isFinite(value)) throw new TypeError(`Special numeric value ${value} is not allowed`);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER)
    throw new TypeError(`Number ${value} is greater than Number.MAX_SAFE_INTEGER`);
  // There is no negative zero in DynamoDB.
  return value === 0 ? 0 : value;
}

/** A copy to hand out: whoever changes it changes nothing here. */
export function copied(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (isList(value)) return value.map(copied);
  return copiedItem(value);
}

export function copiedItem(value: Item): Record<string, Value> {
  const item: Record<string, Value> = {};
  for (const name in value) {
    const one = value[name];
    if (one !== undefined) item[name] = copied(one);
  }
  return item;
}

export function typeOf(value: Value): Type {
  if (typeof value === 'string') return 'S';
  if (typeof value === 'number') return 'N';
  if (typeof value === 'boolean') return 'BOOL';
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return 'B';
  return isList(value) ? 'L' : 'M';
}

/** Whether two values are the same, however deep. */
export function isSame(one: Value | undefined, other: Value | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (one instanceof Uint8Array || other instanceof Uint8Array) return compareValues(one, other) === 0;
  if (isList(one) || isList(other)) {
    if (!isList(one) || !isList(other)) return false;
    return one.length === other.length && one.every((part, index) => isSame(part, other[index]));
  }
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => isSame(one[name], other[name]));
}

/** Which of two values comes first; undefined when they cannot be compared, as values of two types cannot. */
export function compareValues(one: Value | undefined, other: Value | undefined): number | undefined {
  if (typeof one === 'string') return typeof other === 'string' ? compareText(one, other) : undefined;
  if (typeof one === 'number') return typeof other === 'number' ? one - other : undefined;
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other);
  return undefined;
}

export function isList(value: unknown): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is Item {
  return typeOf(value) === 'M';
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
