import { z } from 'zod';

import { AwsError } from './aws-error.ts';

/** Says whether an event fits. */
export type EventMatcher = (event: unknown) => boolean;

/** Says whether one value of an event fits; `undefined` stands for a field that is not there. */
type ValueMatcher = (value: unknown) => boolean;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const jsonObject = z.record(z.string(), z.unknown());

/**
 * Makes a matcher of an event pattern. Source: EventBridge user guide, "Event pattern operators".
 * Throws `InvalidEventPatternException` on whatever it does not know: a rule that matches by accident would hide that
 * the real one does not.
 */
export function eventMatcher(pattern: unknown): EventMatcher {
  const fields = jsonObject.safeParse(pattern);
  if (!fields.success) throw refused('an event pattern is a JSON object');
  return objectMatcher(fields.data, '');
}

function objectMatcher(pattern: Record<string, unknown>, path: string): EventMatcher {
  const matchers = Object.entries(pattern).map(([name, part]): [string, EventMatcher] => {
    if (name.startsWith('$')) throw refused(`unknown operator ${name}`);
    return [name, partMatcher(part, `${path}.${name}`)];
  });
  if (matchers.length === 0) throw refused(`an empty object at ${path || 'the top'}`);
  return (value) => {
    // An array of objects fits if one of them fits as a whole.
    if (Array.isArray(value)) return value.some((one) => matchesAll(matchers, one));
    return matchesAll(matchers, value);
  };
}

function matchesAll(matchers: [string, EventMatcher][], value: unknown): boolean {
  const fields = jsonObject.safeParse(value);
  // A missing object has missing fields, which `exists: false` asks for.
  const present = fields.success ? fields.data : {};
  return matchers.every(([name, matches]) =>
    matches(Object.hasOwn(present, name) ? present[name] : undefined),
  );
}

function partMatcher(part: unknown, path: string): EventMatcher {
  if (!Array.isArray(part)) {
    const nested = jsonObject.safeParse(part);
    if (!nested.success) throw refused(`a bare value at ${path}: values stand in an array`);
    return objectMatcher(nested.data, path);
  }
  if (part.length === 0) throw refused(`an empty array at ${path}`);
  const any = part.map((one) => valueMatcher(one, path));
  // A field that is an array fits if any of its elements fits any of the pattern's.
  return (value) =>
    any.some((fits) => (Array.isArray(value) ? value.some(fits) || fitsEmpty(value, fits) : fits(value)));
}

/** An empty array counts as a field that is not there. */
function fitsEmpty(value: unknown[], fits: ValueMatcher): boolean {
  return value.length === 0 && fits(undefined);
}

function valueMatcher(expected: unknown, path: string): ValueMatcher {
  const exact = scalar.safeParse(expected);
  if (exact.success) return (value) => value === exact.data;
  const operators = Object.entries(jsonObject.catch({}).parse(expected));
  const [operator] = operators;
  if (operators.length !== 1 || operator === undefined) throw refused(`one operator was expected at ${path}`);
  const [name, operand] = operator;
  const make = valueOperators.get(name);
  if (make === undefined) throw refused(`unknown operator ${name} at ${path}`);
  return make(operand, path);
}

type OperatorMaker = (operand: unknown, path: string) => ValueMatcher;

const valueOperators = new Map<string, OperatorMaker>([
  ['prefix', textOperator((value, operand) => value.startsWith(operand))],
  ['suffix', textOperator((value, operand) => value.endsWith(operand))],
  ['equals-ignore-case', textOperator((value, operand) => value.toLowerCase() === operand.toLowerCase())],
  ['exists', existsMatcher],
  ['anything-but', anythingButMatcher],
  ['numeric', numericMatcher],
]);

function textOperator(fits: (value: string, operand: string) => boolean): OperatorMaker {
  return (operand, path) => {
    if (typeof operand !== 'string') throw refused(`a string was expected at ${path}`);
    return (value) => typeof value === 'string' && fits(value, operand);
  };
}

function existsMatcher(operand: unknown, path: string): ValueMatcher {
  if (typeof operand !== 'boolean') throw refused(`exists takes true or false at ${path}`);
  return (value) => (value !== undefined) === operand;
}

/** Values, one or several, or a prefix. A field that is not there is not "anything". */
function anythingButMatcher(operand: unknown, path: string): ValueMatcher {
  const listed = z
    .union([z.string(), z.number(), z.array(z.union([z.string(), z.number()])).min(1)])
    .safeParse(operand);
  if (listed.success) {
    const values: unknown[] = [listed.data].flat();
    return (value) => value !== undefined && !values.includes(value);
  }
  const prefix = z.strictObject({ prefix: z.string().min(1) }).safeParse(operand);
  if (!prefix.success) throw refused(`anything-but takes values or a prefix at ${path}`);
  return (value) =>
    value !== undefined && !(typeof value === 'string' && value.startsWith(prefix.data.prefix));
}

const comparisons = new Map<string, (value: number, bound: number) => boolean>([
  ['<', (value, bound) => value < bound],
  ['<=', (value, bound) => value <= bound],
  ['=', (value, bound) => value === bound],
  ['>=', (value, bound) => value >= bound],
  ['>', (value, bound) => value > bound],
]);

/** `["=", 3]`, or a range as `[">", 0, "<=", 5]`. */
function numericMatcher(operand: unknown, path: string): ValueMatcher {
  const wrong = () => refused(`numeric takes one or two comparisons at ${path}`);
  const parts = z.array(z.union([z.string(), z.number()])).safeParse(operand);
  if (!parts.success || (parts.data.length !== 2 && parts.data.length !== 4)) throw wrong();
  const bounds: ((value: number) => boolean)[] = [];
  for (let index = 0; index < parts.data.length; index += 2) {
    const compare = comparisons.get(String(parts.data[index]));
    const bound = parts.data[index + 1];
    if (compare === undefined || typeof bound !== 'number') throw wrong();
    bounds.push((value) => compare(value, bound));
  }
  return (value) => typeof value === 'number' && bounds.every((isWithin) => isWithin(value));
}

function refused(reason: string): AwsError {
  return new AwsError('InvalidEventPatternException', `Event pattern is not valid: ${reason}.`);
}
