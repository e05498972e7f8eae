import type { BatchGetCommandInput, GetCommandInput, QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { compile } from './expressions.ts';
import { keyOf } from './keys.ts';
import type { Key } from './keys.ts';
import type { Entry } from './ordered.ts';
import { projectedOf, queryPage } from './query.ts';
import { refusal, unsupported } from './refusal.ts';
import type { Table } from './table.ts';
import { readUnits } from './units.ts';
import type { Observe, ObservedRequest } from './units.ts';
import { takenItem } from './value.ts';
import type { Item } from './value.ts';

const nothingWritten = { writeUnits: 0, indexWriteUnits: {}, isConditionFailed: false };

export function getItem(table: Table, input: GetCommandInput, observe: Observe) {
  const { projection } = compile(input, undefined);
  const isConsistent = input.ConsistentRead === true;
  const entry = table.get(keyOf(takenItem(input.Key ?? {})), isConsistent);
  const [items, bytes] = entry === undefined ? [0, 0] : [1, entry.bytes];
  const units = { readUnits: readUnits(bytes, isConsistent), ...nothingWritten };
  observe({ operation: 'GetItem', table: table.shape.name, items, bytes, ...units });
  return entry === undefined ? {} : { Item: projectedOf(entry.item, projection) };
}

export function batchGetItems(
  tableOf: (name: string) => Table,
  { RequestItems = {} }: BatchGetCommandInput,
  observe: Observe,
) {
  const Responses: Record<string, Item[]> = {};
  const UnprocessedKeys: Record<string, { Keys: Item[]; ConsistentRead: boolean }> = {};
  const wanted = Object.entries(RequestItems);
  const count = wanted.reduce((sum, [, { Keys = [] }]) => sum + Keys.length, 0);
  if (count === 0 || count > 100) throw refusal('Too many items requested for the BatchGetItem call');
  let bytes = 0;
  for (const [name, { Keys = [], ConsistentRead = false, ...others }] of wanted) {
    if (Object.values(others).some((one) => one !== undefined))
      throw unsupported('a batch with a projection');
    const table = tableOf(name);
    const keys = Keys.map((key) => keyOf(takenItem(key)));
    if (new Set(keys.map(({ pk, sk }) => `${pk}\0${sk}`)).size < keys.length)
      throw refusal('Provided list of item keys contains duplicates');
    const [found, left]: [Entry[], Key[]] = [[], []];
    for (const key of keys) {
      if (bytes > batchBytesMax) left.push(key);
      else {
        const entry = table.get(key, ConsistentRead);
        if (entry !== undefined) found.push(entry);
        bytes += entry?.bytes ?? 0;
      }
    }
    Responses[name] = found.map(({ item }) => projectedOf(item, undefined));
    if (left.length > 0) UnprocessedKeys[name] = { Keys: left.map((key) => ({ ...key })), ConsistentRead };
    observe(batchCost(name, found, { missing: keys.length - left.length - found.length, ConsistentRead }));
  }
  return { Responses, UnprocessedKeys };
}

/** An answer holds no more; the rest comes back unprocessed. */
const batchBytesMax = 16 * 1_048_576;

function batchCost(
  table: string,
  found: readonly Entry[],
  { missing, ConsistentRead }: { missing: number; ConsistentRead: boolean },
): ObservedRequest {
  // Each item is rounded up by itself, and one that is not there costs as much as a small one.
  const units = found.reduce((sum, { bytes }) => sum + readUnits(bytes, ConsistentRead), 0);
  return {
    ...{ operation: 'BatchGetItem', table, ...nothingWritten },
    readUnits: units + missing * readUnits(0, ConsistentRead),
    ...{ items: found.length, bytes: found.reduce((sum, { bytes }) => sum + bytes, 0) },
  };
}

export function query(table: Table, input: QueryCommandInput, observe: Observe) {
  const { read, found, last, bytes, projection } = queryPage(table, input);
  const isConsistent = input.ConsistentRead === true;
  observe({
    ...{ operation: 'Query', table: table.shape.name, items: read.length, bytes },
    ...(input.IndexName === undefined ? {} : { index: input.IndexName }),
    ...{ readUnits: readUnits(bytes, isConsistent), ...nothingWritten },
  });
  return {
    ...(input.Select === 'COUNT' ? {} : { Items: found.map(({ item }) => projectedOf(item, projection)) }),
    ...{ Count: found.length, ScannedCount: read.length },
    ...(last === undefined ? {} : { LastEvaluatedKey: last }),
  };
}
