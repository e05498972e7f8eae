import type { Call, Literal, Operand, Path } from 'dynalite/validations/index.js';
import { unsupported } from './refusal.ts';
import { isList, typeOf } from './value.ts';
import type { Item, Value } from './value.ts';

/** Values of a request by their names, such as `:status`. */
export type Values = Readonly<Record<string, Value>>;

/** Reads an operand; undefined when the item does not have it. */
export type Read = (item: Item, values: Values) => Value | undefined;

/** Under which name a request hands in the value that stands in an expression. */
export type NameOf = (literal: Literal) => string;

export function isPath(operand: Operand): operand is Path {
  return Array.isArray(operand);
}

export function isCall(operand: Operand): operand is Call {
  return !isPath(operand) && operand.type !== undefined;
}

/** Reads what lies at a path of an item. */
export function readPath([head, ...rest]: Path): Read {
  const name = String(head);
  const readHead: Read = (item) => (Object.hasOwn(item, name) ? item[name] : undefined);
  if (rest.length === 0) return readHead;
  return (item, values) => {
    let found = readHead(item, values);
    for (const piece of rest) found = partOf(found, piece);
    return found;
  };
}

function partOf(value: Value | undefined, piece: string | number): Value | undefined {
  if (value === undefined || value === null || typeof value !== 'object') return undefined;
  if (isList(value)) return typeof piece === 'number' ? value[piece] : undefined;
  if (value instanceof Uint8Array || typeof piece === 'number') return undefined;
  return Object.hasOwn(value, piece) ? value[piece] : undefined;
}

/** An operand of a condition: a path, a value, or the size of what lies at a path. */
export function readOperand(operand: Operand | undefined, nameOf: NameOf): Read {
  if (operand === undefined) throw unsupported('an operator without an operand');
  if (isPath(operand)) return readPath(operand);
  if (!isCall(operand)) {
    const name = nameOf(operand);
    return (_, values) => values[name];
  }
  if (operand.name !== 'size') throw unsupported(`${operand.name ?? operand.type} as an operand`);
  const read = readOperand(operand.args[0], nameOf);
  return (item, values) => sizeOf(read(item, values));
}

function sizeOf(value: Value | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array || isList(value)) return value.length;
  return typeOf(value) === 'M' && value !== null ? Object.keys(value).length : undefined;
}
