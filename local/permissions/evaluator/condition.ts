import { z } from 'zod';
import { isKnownKey } from './known.ts';
import { arnPattern, wildcard } from './wildcard.ts';

/** What is known of a request beside who asks what of which resource. Names in lower case; several values are a list. */
export type Context = ReadonlyMap<string, string | readonly string[]>;

/** Whether a request fulfils a condition. */
export type Condition = (context: Context) => boolean;

/** A context out of names as they are documented; what is undefined is not there. */
export function contextOf(
  values: Readonly<Record<string, string | readonly string[] | undefined>>,
): Map<string, string | readonly string[]> {
  const context = new Map<string, string | readonly string[]>();
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined) context.set(key.toLowerCase(), value);
  }
  return context;
}

const scalar = z.union([z.string(), z.boolean().transform(String), z.number().transform(String)]);
const oneOrMore = z.union([z.array(scalar).min(1), scalar.transform((one) => [one])]);
const block = z.record(z.string(), z.record(z.string(), oneOrMore));

/**
 * All conditions of a statement, each of which must hold.
 * Source: IAM user guide, "IAM JSON policy elements: Condition operators", and "Multivalued context keys".
 *
 * @throws Error on an operator or a key that is not known here: what cannot be judged must never be allowed.
 */
export function conditionsOf(given: unknown): {
  readonly holds: Condition;
  readonly keys: readonly string[];
} {
  if (given === undefined) return { holds: () => true, keys: [] };
  const keys = new Set<string>();
  const all = Object.entries(block.parse(given)).flatMap(([operator, byKey]) =>
    Object.entries(byKey).map(([key, values]) => {
      if (!isKnownKey(key)) throw new Error(`The evaluator does not know the condition key ${key}`);
      keys.add(key.toLowerCase());
      return conditionOf(operator, key.toLowerCase(), values);
    }),
  );
  return { holds: (context) => all.every((one) => one(context)), keys: [...keys] };
}

const operatorParts = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/;

function conditionOf(written: string, key: string, values: readonly string[]): Condition {
  const [, set, name = '', ifExists] = operatorParts.exec(written) ?? [];
  if (name === 'Null') return nullCondition(written, key, values);
  const { accepts, isNegated } = operatorOf(name, values);
  const suits = (value: string) => accepts(value) !== isNegated;
  return (context) => {
    const value = context.get(key);
    if (value === undefined)
      return ifExists !== undefined || set === 'ForAllValues' || (isNegated && set === undefined);
    const list = typeof value === 'string' ? [value] : value;
    if (set === 'ForAllValues') return list.every(suits);
    if (set === 'ForAnyValue') return list.some(suits);
    if (list.length !== 1) throw new Error(`${key} has several values: ${written} cannot judge it`);
    return list.every(suits);
  };
}

function nullCondition(written: string, key: string, values: readonly string[]): Condition {
  const [value, ...others] = values;
  if (written !== 'Null' || others.length > 0 || (value !== 'true' && value !== 'false')) {
    throw new Error(`The evaluator does not know the condition ${written} of ${values.join(', ')}`);
  }
  return (context) => !context.has(key) === (value === 'true');
}

interface Operator {
  /** Whether a value of the request is one of those in the policy. */
  readonly accepts: (value: string) => boolean;
  readonly isNegated: boolean;
}

type Comparison = (wanted: string) => (value: string) => boolean;

const lower = (text: string) => text.toLowerCase();
const numeric = (compare: (value: number, wanted: number) => boolean): Comparison => {
  return (wanted) => (value) => compare(numberOf(value), numberOf(wanted));
};

/** Those that a policy of ours, or a case of the table in test/local/permissions, uses. */
const comparisons: ReadonlyMap<string, { readonly compare: Comparison; readonly isNegated?: true }> = new Map(
  [
    ['StringEquals', { compare: (wanted: string) => (value: string) => value === wanted }],
    [
      'StringNotEquals',
      { compare: (wanted: string) => (value: string) => value === wanted, isNegated: true },
    ],
    [
      'StringEqualsIgnoreCase',
      { compare: (wanted: string) => (value: string) => lower(value) === lower(wanted) },
    ],
    ['StringLike', { compare: wildcard }],
    ['StringNotLike', { compare: wildcard, isNegated: true }],
    // The two of each pair do the same.
    ['ArnEquals', { compare: arnPattern }],
    ['ArnLike', { compare: arnPattern }],
    ['ArnNotEquals', { compare: arnPattern, isNegated: true }],
    ['ArnNotLike', { compare: arnPattern, isNegated: true }],
    ['Bool', { compare: (wanted: string) => (value: string) => lower(value) === lower(wanted) }],
    ['NumericEquals', { compare: numeric((value, wanted) => value === wanted) }],
    ['NumericLessThan', { compare: numeric((value, wanted) => value < wanted) }],
    ['NumericLessThanEquals', { compare: numeric((value, wanted) => value <= wanted) }],
    ['NumericGreaterThan', { compare: numeric((value, wanted) => value > wanted) }],
    ['NumericGreaterThanEquals', { compare: numeric((value, wanted) => value >= wanted) }],
  ] as const,
);

function operatorOf(name: string, values: readonly string[]): Operator {
  const known = comparisons.get(name);
  if (known === undefined) throw new Error(`The evaluator does not know the condition operator ${name}`);
  const all = values.map((wanted) => known.compare(wanted));
  return { accepts: (value) => all.some((one) => one(value)), isNegated: known.isNegated === true };
}

function numberOf(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number)) throw new Error(`${text} is no number`);
  return number;
}
