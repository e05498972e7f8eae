import { convertKeyCondition, validateExpressions } from 'dynalite/validations/index.js';
import type { Expressions, KeyCondition, Literal, Texts } from 'dynalite/validations/index.js';
import { boundsOf, testOf } from './condition.ts';
import type { Test } from './condition.ts';
import type { NameOf, Values } from './operand.ts';
import { refusal, unsupported } from './refusal.ts';
import { updateOf } from './update.ts';
import type { Update } from './update.ts';
import { typeOf } from './value.ts';
import type { Type } from './value.ts';

/** What the expressions of a request come to. */
export interface Compiled {
  readonly condition: Test | undefined;
  readonly update: Update | undefined;
  readonly keyCondition: readonly KeyTerm[];
  readonly filter: Test | undefined;
  /** The attributes that a filter names. */
  readonly filtered: readonly string[];
  readonly projection: readonly string[] | undefined;
  /** The attributes of which a part is named. */
  readonly nested: readonly string[];
  /** Refuses values that make no sense together. */
  readonly check: (values: Values) => void;
}

export interface KeyTerm {
  readonly attribute: string;
  readonly operator: KeyCondition['ComparisonOperator'];
  /** Names of values. */
  readonly values: readonly string[];
}

/** More texts than this are made up anew for each request, and are not worth keeping. */
const keptMax = 10_000;
const kept = new Map<string, Compiled>();

/**
 * Reads the expressions of a request, each text once.
 *
 * dynalite's own parsers read them: they refuse what DynamoDB refuses (syntax, reserved words, names and values that
 * are not defined or not used, operands of the wrong type), in its words, and are tried by thousands of tests. They
 * take 50 µs, put the values themselves into what they have read, and look at nothing of a value but its type. So they
 * are given a stand-in of each value's type, and what they have read serves all requests of the same texts and types.
 *
 * @throws ValidationException
 */
export function compile(texts: Texts, values: Values | undefined): Compiled {
  const key = keyOf(texts, values);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const compiled = read(texts, values);
  if (kept.size >= keptMax) kept.clear();
  kept.set(key, compiled);
  return compiled;
}

function keyOf(texts: Texts, values: Values | undefined): string {
  const { UpdateExpression, ConditionExpression, KeyConditionExpression } = texts;
  // An empty text is refused, and none is not.
  let key = '';
  if (UpdateExpression !== undefined) key += `\0U${UpdateExpression}`;
  if (ConditionExpression !== undefined) key += `\0C${ConditionExpression}`;
  if (KeyConditionExpression !== undefined) key += `\0K${KeyConditionExpression}`;
  if (texts.FilterExpression !== undefined) key += `\0F${texts.FilterExpression}`;
  if (texts.ProjectionExpression !== undefined) key += `\0P${texts.ProjectionExpression}`;
  if (texts.ExpressionAttributeNames !== undefined) key += '\0N';
  for (const name in texts.ExpressionAttributeNames)
    key += `\0${name}=${String(texts.ExpressionAttributeNames[name])}`;
  if (values !== undefined) key += '\0V';
  for (const name in values) {
    const value = values[name];
    if (value !== undefined) key += `\0${name}:${typeOf(value)}`;
  }
  return key;
}

const standIns: Readonly<Record<Type, () => Literal>> = {
  S: () => ({ S: 'text' }),
  N: () => ({ N: '0' }),
  BOOL: () => ({ BOOL: true }),
  NULL: () => ({ NULL: true }),
  B: () => ({ B: 'AA==' }),
  L: () => ({ L: [] }),
  M: () => ({ M: {} }),
};

function read(texts: Texts, values: Values | undefined): Compiled {
  const literals = Object.entries(values ?? {}).map(
    ([name, value]) => [name, standIns[typeOf(value)]()] as const,
  );
  const expressions: Expressions = {
    ...texts,
    ...(values === undefined ? {} : { ExpressionAttributeValues: Object.fromEntries(literals) }),
  };
  const wrong = validateExpressions(expressions);
  if (wrong !== undefined) throw refusal(wrong);
  const names = new Map(literals.map(([name, literal]) => [literal, name]));
  return compiledOf(expressions, (literal) => {
    const name = names.get(literal);
    if (name === undefined) throw new Error('dynalite has read a value that was not handed in');
    return name;
  });
}

function compiledOf(expressions: Expressions, nameOf: NameOf): Compiled {
  const { _condition, _updates, _keyCondition, _filter, _projection } = expressions;
  const conditions = [_condition, _filter].filter((one) => one !== undefined);
  const bounds = conditions.flatMap(({ expression }) => boundsOf(expression, nameOf));
  const parts = [...conditions, ...(_updates ? [_updates] : []), ...(_projection ? [_projection] : [])];
  return {
    condition: _condition && testOf(_condition.expression, nameOf),
    update: _updates && updateOf(_updates.sections, nameOf),
    keyCondition: _keyCondition === undefined ? [] : termsOf(_keyCondition.expression, nameOf),
    filter: _filter && testOf(_filter.expression, nameOf),
    filtered: Object.keys(_filter?.pathHeads ?? {}),
    projection: _projection?.paths.map(([name, ...rest]) => {
      if (rest.length > 0) throw unsupported('projections of a part of an attribute');
      return String(name);
    }),
    nested: parts.flatMap(({ nestedPaths }) => Object.keys(nestedPaths)),
    check: (values) => {
      for (const bound of bounds) bound(values);
    },
  };
}

function termsOf(expression: Parameters<typeof convertKeyCondition>[0], nameOf: NameOf): KeyTerm[] {
  const conditions = convertKeyCondition(expression);
  if (typeof conditions === 'string') throw refusal(conditions);
  return Object.entries(conditions).map(([attribute, { ComparisonOperator, AttributeValueList }]) => ({
    attribute,
    operator: ComparisonOperator,
    values: AttributeValueList.map(nameOf),
  }));
}
