import type { QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { compile } from './expressions.ts';
import type { Compiled } from './expressions.ts';
import { rangeOf } from './key-range.ts';
import type { KeyNames, KeyRange } from './key-range.ts';
import { comparePlaces } from './ordered.ts';
import type { Entry, Ordered, Place } from './ordered.ts';
import { refusal, unsupported } from './refusal.ts';
import { tableKeys } from './shapes.ts';
import type { IndexShape } from './shapes.ts';
import type { Table } from './table.ts';
import { copiedItem, takenItem } from './value.ts';
import type { Item, Value } from './value.ts';

/** What a page may read, whatever its filter leaves of it. */
const pageBytesMax = 1_048_576;

export interface Page {
  /** What was read, before the filter. */
  readonly read: readonly Entry[];
  readonly found: readonly Entry[];
  readonly last: Item | undefined;
  readonly bytes: number;
  /** The attributes that were asked for; undefined for all. */
  readonly projection: readonly string[] | undefined;
}

/** Reads a page of a table, or of one of its indexes. */
export function queryPage(table: Table, input: QueryCommandInput): Page {
  const values = takenItem(input.ExpressionAttributeValues ?? {});
  const compiled = compile(input, input.ExpressionAttributeValues && values);
  if (compiled.keyCondition.length === 0)
    throw refusal(
      'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.',
    );
  compiled.check(values);
  const index = input.IndexName === undefined ? undefined : table.index(input.IndexName);
  checkPage(input, compiled, index?.shape);
  const names = index?.shape ?? { partition: 'pk', sort: 'sk' };
  const range = rangeOf(compiled.keyCondition, values, names);
  const source =
    index === undefined
      ? table.partition(range.partition, input.ConsistentRead === true)
      : table.indexPartition(index, range.partition);
  const page = pageOf(source, range, {
    after: input.ExclusiveStartKey && startOf(takenItem(input.ExclusiveStartKey), range, names),
    limit: input.Limit ?? Infinity,
    isForward: input.ScanIndexForward !== false,
  });
  const { filter, projection } = compiled;
  const found = filter === undefined ? page.read : page.read.filter(({ item }) => filter(item, values));
  const lastRead = page.isCut ? page.read.at(-1) : undefined;
  return { ...page, found, projection, last: lastRead && keysOf(lastRead.item, names) };
}

function checkPage(input: QueryCommandInput, compiled: Compiled, index: IndexShape | undefined): void {
  const { Limit, Select, ConsistentRead } = input;
  if (Limit !== undefined && !(Number.isInteger(Limit) && Limit >= 1))
    throw refusal(`Value '${Limit}' at 'limit' failed to satisfy constraint: greater than or equal to 1`);
  if (Select !== undefined && Select !== 'COUNT') throw unsupported(`Select ${Select}`);
  if (index !== undefined && ConsistentRead === true)
    throw refusal('Consistent reads are not supported on global secondary indexes');
  const keys = index === undefined ? [...tableKeys] : [index.partition, index.sort];
  const key = compiled.filtered.find((name) => keys.includes(name));
  if (key !== undefined)
    throw refusal(`Filter Expression can only contain non-primary key attributes: ${key}`);
  if (index === undefined || index.projected === 'all') return;
  const held = new Set([...tableKeys, index.partition, index.sort, ...index.projected]);
  const missing = [...(compiled.projection ?? []), ...compiled.filtered].find((name) => !held.has(name));
  if (missing !== undefined)
    throw refusal(
      `One or more parameter values were invalid: Global secondary index ${index.name} does not project [${missing}]`,
    );
}

interface Bounds {
  readonly after: Place | undefined;
  readonly limit: number;
  readonly isForward: boolean;
}

interface Reading {
  readonly read: readonly Entry[];
  readonly isCut: boolean;
  readonly bytes: number;
}

function pageOf(source: Ordered | undefined, range: KeyRange, { after, limit, isForward }: Bounds): Reading {
  const read: Entry[] = [];
  let bytes = 0;
  for (const entry of source === undefined ? [] : entriesOf(source, range, { after, isForward })) {
    if (isForward ? range.isAbove(entry.sort) : range.isBelow(entry.sort)) break;
    read.push(entry);
    bytes += entry.bytes;
    // DynamoDB does not look whether anything follows.
    if (read.length >= limit || bytes >= pageBytesMax) return { read, isCut: true, bytes };
  }
  return { read, isCut: false, bytes };
}

function entriesOf(source: Ordered, range: KeyRange, { after, isForward }: Omit<Bounds, 'limit'>) {
  return isForward
    ? source.upwards(
        (entry) => range.isBelow(entry.sort) || (after !== undefined && comparePlaces(entry, after) <= 0),
      )
    : source.downwards(
        (entry) => !range.isAbove(entry.sort) && (after === undefined || comparePlaces(entry, after) < 0),
      );
}

/** Where a page begins: it has all keys of the table and the index, and lies in the range. */
function startOf(start: Item, range: KeyRange, names: KeyNames): Place {
  const wanted = new Set([...tableKeys, names.partition, names.sort]);
  const { pk, sk } = start;
  const [partition, sort] = [start[names.partition], start[names.sort]];
  const hasAll = Object.keys(start).length === wanted.size && Object.values(start).every(isKey);
  if (!hasAll || !isKey(pk) || !isKey(sk) || !isKey(sort))
    throw refusal('The provided starting key is invalid');
  if (partition !== range.partition || range.isBelow(sort) || range.isAbove(sort))
    throw refusal('The provided starting key is outside query boundaries based on provided conditions');
  return { sort, pk, sk };
}

function isKey(value: Value | undefined): value is string {
  return typeof value === 'string' && value !== '';
}

function keysOf(item: Item, names: KeyNames): Item {
  return projectedOf(item, [...new Set([...tableKeys, names.partition, names.sort])]);
}

/** A copy of an item, or of those of its attributes that were asked for. */
export function projectedOf(item: Item, names: readonly string[] | undefined): Item {
  if (names === undefined) return copiedItem(item);
  const part: Record<string, Value> = {};
  for (const name of names) {
    const value = item[name];
    if (value !== undefined) part[name] = value;
  }
  return copiedItem(part);
}
