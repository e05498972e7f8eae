import fc from 'fast-check';

/** Keys, attributes and expressions as a property draws them: good ones mostly, and such as DynamoDB refuses. */

export type Input = Readonly<Record<string, unknown>>;

export const pk = fc.constantFrom('RUN#a', 'RUN#b');
export const sk = fc.constantFrom('1', '10', '2', 'ä', 'z', '\u{ffee}', '\u{1f600}', 'z\u{1f600}');
export const plainSk = fc.constantFrom('1', '10', '2', 'ä', 'z');
const number = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(0, -0, 0.1, 0.2, -1.5, 1e-7, 333.333_333_333_333_3, 123_456_789_012),
);
const text = fc.constantFrom('', 'a', 'ab', 'abc', 'b', 'ü', '\u{1f600}');
const value = fc.oneof(
  ...[number, text, fc.boolean(), fc.constant(null)],
  fc.array(fc.oneof(number, text, fc.constant({ deep: [1, 'x'] })), { maxLength: 3 }),
  fc.constant({ map: { in: 'map' }, none: null }),
);
export const attributes = fc.record(
  {
    n: number,
    s: text,
    any: value,
    list: fc.array(value, { maxLength: 2 }),
    bytes: fc.array(fc.nat(255), { maxLength: 4 }),
    statusKey: fc.constantFrom('RUN#dead', 'RUN#refused'),
    eventId: fc.constantFrom('e1', 'e2', 'e3'),
    waiting: fc.constantFrom('RUN#DUE', 'RUN#ENDPOINT'),
    waitingAt: fc.constantFrom('2026', '2027'),
    organizationId: text,
    status: text,
  },
  { requiredKeys: [] },
);

/** An expression with what it needs of names and values. */
export interface Piece {
  readonly text: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values?: Input;
}

export const compared = fc
  .record({
    left: fc.constantFrom('n', 's', 'any', 'bytes', 'missing', 'list[0]', 'any.#in', 'size(list)'),
    operator: fc.constantFrom('=', '<>', '<', '<=', '>', '>='),
    right: fc.oneof(number, text, fc.boolean(), fc.constant(null)),
  })
  .map(({ left, operator, right }): Piece => ({
    text: `${left} ${operator} :right`,
    ...(left.includes('#in') ? { names: { '#in': 'map' } } : {}),
    values: { ':right': right },
  }));

export const condition: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 3, arbitrary: compared },
  fc.constantFrom<Piece>(
    { text: 'attribute_not_exists(pk)' },
    { text: 'attribute_exists(pk)' },
    { text: 'attribute_not_exists(n) OR n < :two', values: { ':two': 2 } },
    { text: '(attribute_exists(s) AND NOT n > :two) OR s = :a', values: { ':two': 2, ':a': 'a' } },
    { text: 'n BETWEEN :low AND :high', values: { ':low': -1, ':high': 2 } },
    { text: 's IN (:a, :b)', values: { ':a': 'a', ':b': 'b' } },
    { text: 'begins_with(s, :a)', values: { ':a': 'a' } },
    { text: 'contains(s, :b)', values: { ':b': 'b' } },
    { text: '#status < s', names: { '#status': 'status' } },
  ),
  // Refused.
  fc.constantFrom<Piece>(
    { text: 'n BETWEEN :low AND :high', values: { ':low': 2, ':high': 1 } },
    { text: 'status = :a', values: { ':a': 'a' } },
    { text: 'n = :unknown', values: { ':a': 1 } },
    { text: '#n = :a', values: { ':a': 1 } },
    { text: 'n = :a', names: { '#n': 'n' }, values: { ':a': 1 } },
    { text: 'n = :a', values: { ':a': 1, ':b': 2 } },
    { text: 'n == :a', values: { ':a': 1 } },
    { text: 'n = :a AND', values: { ':a': 1 } },
    { text: '((n = :a))', values: { ':a': 1 } },
    { text: 'attribute_exist(n)' },
    { text: 'begins_with(s, :a)', values: { ':a': 1 } },
    { text: 'size(n)' },
    { text: '' },
  ),
);

export const update: fc.Arbitrary<Piece> = fc.oneof(
  {
    weight: 3,
    arbitrary: value.map((v): Piece => ({
      text: 'SET #any = :v',
      names: { '#any': 'any' },
      values: { ':v': v },
    })),
  },
  {
    weight: 3,
    arbitrary: number.map((v): Piece => ({ text: 'SET n = if_not_exists(n, :v) + :v', values: { ':v': v } })),
  },
  { weight: 2, arbitrary: number.map((v): Piece => ({ text: 'ADD n :v', values: { ':v': v } })) },
  fc.constantFrom<Piece>(
    { text: 'SET n = n - :one, s = :s REMOVE list', values: { ':one': 0.1, ':s': 'b' } },
    {
      text: 'SET list = list_append(if_not_exists(list, :none), :more)',
      values: { ':none': [], ':more': ['m'] },
    },
    { text: 'SET n = any, any = n' },
    { text: 'REMOVE statusKey, waiting, missing' },
    { text: 'SET statusKey = :dead, eventId = :e', values: { ':dead': 'RUN#dead', ':e': 'e2' } },
    { text: 'SET waitingAt = :at, waiting = :due', values: { ':at': '2028', ':due': 'RUN#DUE' } },
    { text: 'SET s = missing' },
    { text: 'SET any = if_not_exists(any, :v)', values: { ':v': 'first' } },
    { text: 'SET any.#in = :v, s = :s', names: { '#in': 'map' }, values: { ':v': 'in', ':s': 'b' } },
  ),
  // Refused.
  fc.constantFrom<Piece>(
    { text: 'SET pk = :v', values: { ':v': 'x' } },
    { text: 'REMOVE sk' },
    { text: 'SET statusKey = :v', values: { ':v': 1 } },
    { text: 'SET n = :v, n = :v', values: { ':v': 1 } },
    { text: 'SET n = :v SET s = :v', values: { ':v': 1 } },
    { text: 'SET n = :v + :w', values: { ':v': 1, ':w': 'x' } },
    { text: 'ADD n :v', values: { ':v': 'x' } },
    { text: 'SET n = list_append(:v, :v)', values: { ':v': 1 } },
    { text: 'SET n :v', values: { ':v': 1 } },
    { text: 'SET n = :v,', values: { ':v': 1 } },
    { text: 'n = :v', values: { ':v': 1 } },
    { text: 'SET n = unknown(n)' },
    { text: '' },
  ),
);

export function expressions(pieces: Readonly<Record<string, Piece | undefined>>): Input {
  const given = Object.entries(pieces).flatMap(([name, piece]) =>
    piece === undefined ? [] : [{ name, piece }],
  );
  const names = given.flatMap(({ piece }) => Object.entries(piece.names ?? {}));
  const values = given.flatMap(({ piece }) => Object.entries(piece.values ?? {}));
  return {
    ...Object.fromEntries(given.map(({ name, piece }) => [name, piece.text])),
    ...(names.length === 0 ? {} : { ExpressionAttributeNames: Object.fromEntries(names) }),
    ...(values.length === 0 ? {} : { ExpressionAttributeValues: Object.fromEntries(values) }),
  };
}
