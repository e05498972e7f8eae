import { isList } from './value.ts';
import type { Item, Value } from './value.ts';

/**
 * Bytes of an item, names and values, as DynamoDB counts them for capacity and limits.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function bytesOf(item: Item): number {
  let bytes = 0;
  for (const name in item) {
    const value = item[name];
    if (value !== undefined) bytes += Buffer.byteLength(name) + bytesOfValue(value);
  }
  return bytes;
}

function bytesOfValue(value: Value): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return bytesOfNumber(value);
  if (typeof value === 'boolean' || value === null) return 1;
  if (value instanceof Uint8Array) return value.length;
  // A list or a map takes three bytes, and one more for each of its parts.
  if (isList(value)) return value.reduce<number>((bytes, part) => bytes + 1 + bytesOfValue(part), 3);
  return 3 + Object.keys(value).length + bytesOf(value);
}

/** About a byte for every two digits, and one more; zeros at both ends do not count. */
function bytesOfNumber(value: number): number {
  if (value === 0) return 1;
  const digits = Number.isSafeInteger(value) ? digitsOfWhole(Math.abs(value)) : digitsOfText(String(value));
  return Math.ceil(digits / 2) + (value < 0 ? 2 : 1);
}

function digitsOfWhole(value: number): number {
  let rest = value;
  while (rest % 10 === 0) rest /= 10;
  let digits = 0;
  for (; rest >= 1; rest = Math.floor(rest / 10)) digits += 1;
  return digits;
}

function digitsOfText(text: string): number {
  const [mantissa = ''] = text.split('e');
  return mantissa.replace(/[-.]/g, '').replace(/^0+/, '').length;
}
