import fc from 'fast-check';
import { attributes, compared, condition, expressions, pk, plainSk, sk, update } from './draw-expressions.ts';
import type { Input, Piece } from './draw-expressions.ts';

/** A request; `RUN` in it stands for the run, so that each has partitions of its own. */
export interface Step {
  readonly kind: 'put' | 'update' | 'delete' | 'get' | 'query' | 'index' | 'batch' | 'transaction';
  readonly input: Input;
}

const step = (kind: Step['kind'], input: Input): Step => ({ kind, input });

const maybe = <Of>(arbitrary: fc.Arbitrary<Of>) => fc.option(arbitrary, { nil: undefined });
const key = fc.record({ pk, sk });
const oddKey = fc.constantFrom(
  { pk: '', sk: '1' },
  { pk: 'RUN#a' },
  { pk: 'RUN#a', sk: 1 },
  { pk: 'RUN#a', sk: '1', n: 1 },
);
const anyKey = fc.oneof({ weight: 20, arbitrary: key }, oddKey);
const returned = fc.constantFrom('NONE', 'ALL_OLD');

export const drawnWrite: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ key: anyKey, attributes, condition: maybe(condition), returned })
    .map(({ key, attributes, condition, returned }) =>
      step('put', {
        Item: { ...attributes, ...key },
        ReturnValues: returned,
        ...expressions({ ConditionExpression: condition }),
      }),
    ),
  fc
    .record({
      ...{ key: anyKey, update, condition: maybe(condition) },
      returned: fc.constantFrom('NONE', 'ALL_OLD', 'ALL_NEW', 'UPDATED_OLD', 'UPDATED_NEW'),
    })
    .map(({ key, update, condition, returned }) =>
      step('update', {
        ...{ Key: key, ReturnValues: returned },
        ...expressions({ UpdateExpression: update, ConditionExpression: condition }),
      }),
    ),
  fc.record({ key: anyKey, condition: maybe(condition), returned }).map(({ key, condition, returned }) =>
    step('delete', {
      Key: key,
      ReturnValues: returned,
      ...expressions({ ConditionExpression: condition }),
    }),
  ),
);

const named: Readonly<Record<string, string>> = { put: 'Put', update: 'Update', delete: 'Delete' };

/** Some writes together; now and then two of the same item. */
export const drawnTransaction: fc.Arbitrary<Step> = fc
  .array(drawnWrite, { minLength: 1, maxLength: 3 })
  .map((writes) =>
    step('transaction', {
      TransactItems: writes.map(({ kind, input: { ReturnValues: _, ...input } }) => ({
        [named[kind] ?? kind]: input,
      })),
    }),
  );

const projection = fc.constantFrom<Piece>(
  { text: 'pk, n, #list', names: { '#list': 'list' } },
  { text: 'any, missing' },
  { text: 'n, n' },
  { text: 'status' },
);
const filter = fc.oneof(compared, fc.constant<Piece>({ text: 'sk = :z', values: { ':z': 'z' } }));
const sortCondition = fc.oneof(
  fc
    .tuple(fc.constantFrom('=', '<', '<=', '>', '>='), sk)
    .map(([operator, bound]): Piece => ({ text: `sk ${operator} :bound`, values: { ':bound': bound } })),
  fc.tuple(plainSk, plainSk).map(([low, high]): Piece => ({
    text: 'sk BETWEEN :low AND :high',
    values: { ':low': low, ':high': high },
  })),
  fc
    .constantFrom('1', 'z', '\u{1f600}')
    .map((prefix): Piece => ({ text: 'begins_with(sk, :prefix)', values: { ':prefix': prefix } })),
  fc.constantFrom<Piece>(
    { text: 'sk <> :bound', values: { ':bound': 'z' } },
    { text: 'n = :bound', values: { ':bound': 1 } },
    { text: 'sk = :bound', values: { ':bound': 1 } },
    { text: 'sk = :bound OR sk = :bound', values: { ':bound': '1' } },
  ),
);

function paging(read: Readonly<Record<string, unknown>>): Input {
  return Object.fromEntries(Object.entries(read).filter(([, one]) => one !== undefined));
}

const common = {
  Limit: maybe(fc.constantFrom(1, 2, 3, 0)),
  ScanIndexForward: maybe(fc.boolean()),
  ConsistentRead: maybe(fc.boolean()),
  Select: maybe(fc.constant('COUNT')),
};

export const drawnRead: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({ Key: anyKey, projection: maybe(projection), ConsistentRead: fc.boolean() })
    .map(({ projection, ...input }) =>
      step('get', { ...input, ...expressions({ ProjectionExpression: projection }) }),
    ),
  fc.array(key, { minLength: 1, maxLength: 4 }).map((Keys) => step('batch', { Keys })),
  fc
    .record({ pk, sort: maybe(sortCondition), filter: maybe(filter), paged: fc.record(common) })
    .map(({ pk, sort, filter, paged }) =>
      step('query', {
        ...paging(paged),
        ...expressions({
          KeyConditionExpression: {
            text: sort === undefined ? 'pk = :pk' : `pk = :pk AND ${sort.text}`,
            values: { ':pk': pk, ...sort?.values },
          },
          FilterExpression: filter,
        }),
      }),
    ),
  fc
    .record({
      index: fc.constantFrom<[string, string, string, string[], string[]]>(
        ['byStatus', 'statusKey', 'eventId', ['RUN#dead', 'RUN#refused'], ['e1', 'e2', 'e3']],
        ['waiting', 'waiting', 'waitingAt', ['RUN#DUE', 'RUN#ENDPOINT'], ['2026', '2027', '2028']],
        ['nowhere', 'waiting', 'waitingAt', ['RUN#DUE'], ['2026']],
      ),
      ...{ place: fc.nat(1), bound: fc.nat(2), paged: fc.record(common) },
    })
    .map(({ index: [IndexName, partition, sort, partitions, sorts], place, bound, paged }) =>
      step('index', {
        ...{ IndexName, ...paging(paged) },
        KeyConditionExpression: `${partition} = :p AND ${sort} >= :s`,
        ExpressionAttributeValues: {
          ':p': partitions[place] ?? partitions[0],
          ':s': sorts[bound] ?? sorts[0],
        },
      }),
    ),
);
