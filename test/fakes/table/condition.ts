import type { Call, Operand } from 'dynalite/validations/index.js';
import { isCall, readOperand } from './operand.ts';
import type { NameOf, Read, Values } from './operand.ts';
import { refusal, unsupported } from './refusal.ts';
import { compareValues, isList, isSame } from './value.ts';
import type { Item, Value } from './value.ts';

/** Whether a condition holds for an item; for one that is not there, of an item without attributes. */
export type Test = (item: Item, values: Values) => boolean;

/** Makes the test of a condition, or of a filter, that dynalite has read. */
export function testOf(call: Call, nameOf: NameOf): Test {
  const { type, args } = call;
  if (type === 'and' || type === 'or' || type === 'not') return joined(type, args, nameOf);
  const [first = never, second = never, ...others] = args.map((operand) => readOperand(operand, nameOf));
  if (type === 'function') return functionTest(call.name, first, second);
  if (type === 'between') return betweenTest(first, second, others[0] ?? never);
  if (type === 'in') return inTest(first, [second, ...others]);
  return comparison(type, first, second);
}

const never: Read = () => undefined;

function joined(type: 'and' | 'or' | 'not', args: readonly Operand[], nameOf: NameOf): Test {
  const [one = pass, other = pass] = args.map((operand) => {
    if (!isCall(operand)) throw unsupported('an operand that is no condition');
    return testOf(operand, nameOf);
  });
  if (type === 'not') return (item, values) => !one(item, values);
  if (type === 'and') return (item, values) => one(item, values) && other(item, values);
  return (item, values) => one(item, values) || other(item, values);
}

const pass: Test = () => true;

function functionTest(name: string | undefined, first: Read, second: Read): Test {
  switch (name) {
    case 'attribute_exists':
      return (item, values) => first(item, values) !== undefined;
    case 'attribute_not_exists':
      return (item, values) => first(item, values) === undefined;
    case 'begins_with':
      return (item, values) => beginsWith(first(item, values), second(item, values));
    case 'contains':
      return (item, values) => contains(first(item, values), second(item, values));
    case undefined:
    default:
      throw unsupported(`the function ${String(name)}`);
  }
}

function beginsWith(value: Value | undefined, prefix: Value | undefined): boolean {
  if (typeof value === 'string') return typeof prefix === 'string' && value.startsWith(prefix);
  if (!(value instanceof Uint8Array) || !(prefix instanceof Uint8Array)) return false;
  return isSame(value.subarray(0, prefix.length), prefix);
}

function contains(value: Value | undefined, part: Value | undefined): boolean {
  if (typeof value === 'string') return typeof part === 'string' && value.includes(part);
  return isList(value) && value.some((one) => isSame(one, part));
}

function betweenTest(read: Read, readLow: Read, readHigh: Read): Test {
  return (item, values) => {
    const [value, low, high] = [read(item, values), readLow(item, values), readHigh(item, values)];
    return (compareValues(value, low) ?? -1) >= 0 && (compareValues(value, high) ?? 1) <= 0;
  };
}

function inTest(read: Read, readers: readonly Read[]): Test {
  return (item, values) => {
    const value = read(item, values);
    return value !== undefined && readers.some((one) => isSame(value, one(item, values)));
  };
}

function comparison(type: string, first: Read, second: Read): Test {
  if (type === '=' || type === '<>') {
    const isEqual: Test = (item, values) => {
      const value = first(item, values);
      return value !== undefined && isSame(value, second(item, values));
    };
    return type === '=' ? isEqual : (item, values) => !isEqual(item, values);
  }
  const isMet = orders[type];
  if (isMet === undefined) throw unsupported(`the operator ${type}`);
  return (item, values) => {
    const order = compareValues(first(item, values), second(item, values));
    return order !== undefined && isMet(order);
  };
}

const orders: Readonly<Record<string, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** Refuses values that no item could lie between. DynamoDB does so whatever the item; dynalite's parser sees no values. */
export function boundsOf(call: Call, nameOf: NameOf): ((values: Values) => void)[] {
  const inner = call.args.filter(isCall).flatMap((one) => boundsOf(one, nameOf));
  const [, low, high] = call.args;
  if (call.type !== 'between' || low === undefined || high === undefined) return inner;
  if ([low, high].some((operand) => Array.isArray(operand) || isCall(operand))) return inner;
  const [readLow, readHigh] = [readOperand(low, nameOf), readOperand(high, nameOf)];
  const check = (values: Values) => {
    if ((compareValues(readLow({}, values), readHigh({}, values)) ?? 0) > 0)
      throw refusal('The BETWEEN operator requires upper bound to be greater than or equal to lower bound');
  };
  return [...inner, check];
}
