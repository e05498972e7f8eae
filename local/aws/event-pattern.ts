import { z } from 'zod';

import { AwsError } from './aws-error.ts';
import { type Leaf, leavesOf } from './event-leaves.ts';

/** Says whether an event fits. */
export type EventMatcher = (event: unknown) => boolean;

/** Says whether a leaf of an event fits. */
type ValueMatcher = (value: Leaf['value']) => boolean;

/** What is asked of a path: that a leaf there fits, or that there is none. */
interface Asked {
  readonly path: string;
  readonly fits: readonly ValueMatcher[];
  readonly mayBeAbsent: boolean;
}

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const jsonObject = z.record(z.string(), z.unknown());

/**
 * Makes a matcher of an event pattern that sees what aws/event-ruler sees, EventBridge's own: leaves by their whole
 * path. An object, an empty list and a list of objects have none, so `exists` and `anything-but` do not match them and
 * `exists: false` does; a dotted name is the same as a nested one.
 *
 * Throws `InvalidEventPatternException` on whatever it does not know: a rule that matches by accident would hide that
 * the real one does not.
 */
export function eventMatcher(pattern: unknown): EventMatcher {
  const fields = jsonObject.safeParse(pattern);
  if (!fields.success) throw refused('an event pattern is a JSON object');
  const asked = askedOf(fields.data, '').sort((a, b) => (a.path < b.path ? -1 : 1));
  const paths = asked.map(({ path }) => path);
  const twice = paths.find((path, index) => paths[index + 1] === path);
  if (twice !== undefined) throw refused(`the path ${twice} is asked for twice`);
  return (event) => matchFrom(asked, leavesOf(event, paths), new Map());
}

/** In the order of paths, as event-ruler goes: what is absent is so for the elements of lists that were chosen before. */
function matchFrom(asked: readonly Asked[], leaves: readonly Leaf[], chosen: Leaf['places']): boolean {
  const [first, ...others] = asked;
  if (first === undefined) return true;
  const here = leaves.filter(({ path, places }) => path === first.path && agree(places, chosen));
  if (first.mayBeAbsent && here.length === 0 && matchFrom(others, leaves, chosen)) return true;
  return here.some(
    ({ value, places }) =>
      first.fits.some((fits) => fits(value)) && matchFrom(others, leaves, new Map([...chosen, ...places])),
  );
}

/** Fields of a list's objects fit together only if they are of the same object. */
function agree(places: Leaf['places'], chosen: Leaf['places']): boolean {
  return [...places].every(([list, index]) => (chosen.get(list) ?? index) === index);
}

function askedOf(pattern: Record<string, unknown>, parent: string): Asked[] {
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw refused(`an empty object at ${parent || 'the top'}`);
  return entries.flatMap(([name, part]) => {
    if (name.startsWith('$')) throw refused(`unknown operator ${name}`);
    const path = parent === '' ? name : `${parent}.${name}`;
    if (Array.isArray(part)) return [askedAt(path, part)];
    const nested = jsonObject.safeParse(part);
    if (!nested.success) throw refused(`a bare value at ${path}: values stand in an array`);
    return askedOf(nested.data, path);
  });
}

function askedAt(path: string, values: unknown[]): Asked {
  if (values.length === 0) throw refused(`an empty array at ${path}`);
  const made = values.map((one) => valueMatcher(one, path));
  const fits = made.filter((one) => one !== 'absent');
  return { path, fits, mayBeAbsent: fits.length < made.length };
}

function valueMatcher(expected: unknown, path: string): ValueMatcher | 'absent' {
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

type OperatorMaker = (operand: unknown, path: string) => ValueMatcher | 'absent';

const valueOperators = new Map<string, OperatorMaker>([
  ['prefix', textOperator((value, operand) => value.startsWith(operand))],
  ['suffix', textOperator((value, operand) => value.endsWith(operand))],
  ['equals-ignore-case', textOperator((value, operand) => value.toUpperCase() === operand.toUpperCase())],
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

function existsMatcher(operand: unknown, path: string): ValueMatcher | 'absent' {
  if (typeof operand !== 'boolean') throw refused(`exists takes true or false at ${path}`);
  return operand ? () => true : 'absent';
}

const listed = z.union([
  z.string().transform((one) => [one]),
  z.number().transform((one) => [one]),
  z.array(z.string()).min(1),
  z.array(z.number()).min(1),
]);

/** Strings or numbers, one or several of a kind, or a prefix. A leaf that is not there is not "anything", one of `null` is. */
function anythingButMatcher(operand: unknown, path: string): ValueMatcher {
  const values = listed.safeParse(operand);
  if (values.success) {
    const excluded: readonly unknown[] = values.data;
    return (value) => !excluded.includes(value);
  }
  const prefix = z.strictObject({ prefix: z.string().min(1) }).safeParse(operand);
  if (!prefix.success) throw refused(`anything-but takes values of one kind or a prefix at ${path}`);
  return (value) => !(typeof value === 'string' && value.startsWith(prefix.data.prefix));
}

const bottom = z.tuple([z.enum(['>', '>=']), z.number()]);
const top = z.tuple([z.enum(['<', '<=']), z.number()]);
const numeric = z.union([
  z.tuple([z.literal('='), z.number()]),
  bottom,
  top,
  z
    .tuple([bottom.def.items[0], z.number(), top.def.items[0], z.number()])
    .refine(([, least, , most]) => least < most),
]);

const comparisons = {
  '<': (value: number, bound: number) => value < bound,
  '<=': (value: number, bound: number) => value <= bound,
  '=': (value: number, bound: number) => value === bound,
  '>=': (value: number, bound: number) => value >= bound,
  '>': (value: number, bound: number) => value > bound,
};

/** `["=", 3]`, or a range from its lower end, as `[">", 0, "<=", 5]`. */
function numericMatcher(operand: unknown, path: string): ValueMatcher {
  const parsed = numeric.safeParse(operand);
  if (!parsed.success)
    throw refused(`numeric takes one comparison, or a range from its lower end, at ${path}`);
  const [first, bound, second, end] = parsed.data;
  return (value) =>
    typeof value === 'number' &&
    comparisons[first](value, bound) &&
    (second === undefined || end === undefined || comparisons[second](value, end));
}

function refused(reason: string): AwsError {
  return new AwsError('InvalidEventPatternException', `Event pattern is not valid: ${reason}.`);
}
