import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import type {
  DynamoDBDocumentClient,
  PutCommandInput,
  QueryCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import DataLoader from 'dataloader';
import { randomUUID } from 'node:crypto';
import { NotWritten } from './errors.ts';
import { inTime } from './in-time.ts';

export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** Attributes as DynamoDB hands them out: nothing is known of them until a schema has seen them. */
export type Item = Readonly<Record<string, unknown>>;

/** Whether a conditional write was made; false when its condition did not hold. */
export async function isWritten(
  client: DynamoDBDocumentClient,
  write: PutCommand | UpdateCommand | DeleteCommand,
): Promise<boolean> {
  try {
    // One overload of send for each command: the union has none.
    if (write instanceof PutCommand) await client.send(write);
    else await (write instanceof DeleteCommand ? client.send(write) : client.send(write));
    return true;
  } catch (fault) {
    if (fault instanceof ConditionalCheckFailedException) return false;
    throw fault;
  }
}

/** DynamoDB cancels a transaction that meets another one of the same item, which has ended a moment later. */
const togetherPausesMs = [25, 50, 100, 200];

/**
 * Whether a transaction was made, all of it; false when one of its conditions did not hold, and nothing was made.
 *
 * @param write has a token, by which DynamoDB knows a second one as the first
 */
async function isWrittenTogether(
  client: DynamoDBDocumentClient,
  write: TransactWriteCommand,
): Promise<boolean> {
  for (const ms of [...togetherPausesMs, undefined]) {
    try {
      await client.send(write);
      return true;
    } catch (fault) {
      if (!(fault instanceof TransactionCanceledException)) throw fault;
      const codes = (fault.CancellationReasons ?? []).map(({ Code }) => Code);
      if (codes.includes('ConditionalCheckFailed')) return false;
      // The SDK sends again what fails, but not what is cancelled.
      if (ms === undefined || !codes.every((code) => passingCodes.has(code))) throw fault;
      await pause(ms);
    }
  }
  return false;
}

const passingCodes = new Set<string | undefined>([
  undefined,
  'None',
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
]);

/**
 * Whether a conditional write was made, or a transaction, also when its answer was lost: then the SDK writes a second
 * time and meets its own first one, or gives up. So whenever it is not certain, the item is looked at.
 *
 * @param isThere whether the table holds just what was to be written, or nothing after a removal; by a consistent read.
 * @throws NotWritten when the write failed and was not made.
 */
export async function isWrittenAfterAll(
  client: DynamoDBDocumentClient,
  write: PutCommand | DeleteCommand | TransactWriteCommand,
  isThere: () => Promise<boolean>,
): Promise<boolean> {
  const writing =
    write instanceof TransactWriteCommand ? isWrittenTogether(client, write) : isWritten(client, write);
  const outcome = await writing.catch((fault: unknown) => new NotWritten(fault));
  if (outcome === true || (await isThere())) return true;
  if (outcome instanceof NotWritten) throw outcome;
  return false;
}

/**
 * The same for an item, which is told by a mark of the write that it carries: two callers who write the very same at
 * once are not both told that it was theirs.
 *
 * @throws NotWritten when the write failed and was not made.
 */
export async function isPutAfterAll(
  client: DynamoDBDocumentClient,
  { Item, ...rest }: PutCommandInput & { readonly Item: Item & Key },
): Promise<boolean> {
  const writtenBy = randomUUID();
  const write = new PutCommand({ ...rest, Item: { ...Item, writtenBy } });
  return isWrittenAfterAll(client, write, async () => {
    const place = { TableName: rest.TableName, Key: { pk: Item.pk, sk: Item.sk }, ConsistentRead: true };
    const there = await client.send(new GetCommand(place));
    return there.Item?.['writtenBy'] === writtenBy;
  });
}

export interface QueryPage {
  readonly items: readonly Item[];
  readonly isLast: boolean;
}

/** One page of a Query. */
export async function queryPage(
  client: DynamoDBDocumentClient,
  input: QueryCommandInput,
): Promise<QueryPage> {
  const answer = await client.send(new QueryCommand(input));
  return { items: answer.Items ?? [], isLast: answer.LastEvaluatedKey === undefined };
}

/**
 * One page of a list that is spread over several partitions of an index: a page of each, merged.
 *
 * @param inputs one Query for each partition, with the same `Limit` and direction
 * @param orderOf what the list is sorted by; of the same value those of an earlier Query come first
 */
export async function queryMerged(
  client: DynamoDBDocumentClient,
  inputs: readonly (QueryCommandInput & { readonly Limit: number })[],
  orderOf: (item: Item) => string,
): Promise<QueryPage> {
  const pages = await Promise.all(inputs.map((input) => queryPage(client, input)));
  const { Limit = 0, ScanIndexForward = true } = inputs[0] ?? {};
  const sign = ScanIndexForward ? 1 : -1;
  const all = pages.flatMap(({ items }) => items.map((item) => ({ item, order: orderOf(item) })));
  // Stable: those of one value stay as their partition has them, one partition after the other.
  const sorted = all.toSorted((a, b) => (a.order === b.order ? 0 : a.order < b.order ? -sign : sign));
  const items = sorted.slice(0, Limit).map(({ item }) => item);
  return { items, isLast: pages.every(({ isLast }) => isLast) && all.length <= Limit };
}

/** All items of a Query, page after page; only for partitions that are small by their nature. */
export async function queryAll(client: DynamoDBDocumentClient, input: QueryCommandInput): Promise<Item[]> {
  const items: Item[] = [];
  let from: Item | undefined;
  do {
    const answer = await client.send(new QueryCommand({ ...input, ExclusiveStartKey: from }));
    items.push(...(answer.Items ?? []));
    from = answer.LastEvaluatedKey;
  } while (from !== undefined);
  return items;
}

/** How many items a Query finds, without fetching them. */
export async function queryCount(client: DynamoDBDocumentClient, input: QueryCommandInput): Promise<number> {
  let count = 0;
  let from: Item | undefined;
  do {
    const query = new QueryCommand({ ...input, Select: 'COUNT', ExclusiveStartKey: from });
    const answer = await client.send(query);
    count += answer.Count ?? 0;
    from = answer.LastEvaluatedKey;
  } while (from !== undefined);
  return count;
}

export type Read = (key: Key) => Promise<Item | undefined>;

export interface Consistency {
  /** Strong by default; otherwise it costs half, and may be a moment old. */
  readonly isConsistent: boolean;
}

/**
 * Reads single items. Calls made in the same turn of the event loop travel in one
 * BatchGetItem: the ten deliveries of a Lambda batch, often of one event, cost one call.
 */
export function makeBatchedRead(
  client: DynamoDBDocumentClient,
  TableName: string,
  consistency?: Consistency,
): Read {
  return makeBatchedReads(client, consistency)(TableName);
}

/** The same for items of several tables, which travel together. @returns the reader of a table */
export function makeBatchedReads(
  client: DynamoDBDocumentClient,
  { isConsistent }: Consistency = { isConsistent: true },
): (TableName: string) => Read {
  const readInTime = (places: readonly Place[]) =>
    inTime((abortSignal) => readBatch({ client, isConsistent }, places, abortSignal));
  const batches = new DataLoader<Place, Item | undefined>(readInTime, {
    cache: false,
    maxBatchSize: 100,
    batchScheduleFn: setImmediate,
  });
  return (table) =>
    ({ pk, sk }) =>
      batches.load({ table, pk, sk });
}

/** Where an item stands. */
interface Place extends Key {
  readonly table: string;
}

interface Reader extends Consistency {
  readonly client: DynamoDBDocumentClient;
}

async function readBatch(
  { client, isConsistent }: Reader,
  places: readonly Place[],
  abortSignal: AbortSignal,
): Promise<(Item | undefined)[]> {
  // DynamoDB refuses a key that is named twice.
  let wanted: readonly Place[] = [
    ...new Map(places.map((place) => [nameOf(place.table, place), place])).values(),
  ];
  const found = new Map<string, Item>();
  for (let round = 0; wanted.length > 0; round += 1) {
    if (round > 0) await pause(Math.min(1_000, 25 * 2 ** round));
    // Each answer holds at most 16 MB (dynalite: 1.4); the rest comes back as unprocessed.
    if (round > 12) throw new Error('DynamoDB left keys of a BatchGetItem unprocessed');
    const RequestItems = Object.fromEntries(
      [...Map.groupBy(wanted, ({ table }) => table)].map(([table, inTable]) => [
        table,
        { Keys: inTable.map(({ pk, sk }) => ({ pk, sk })), ConsistentRead: isConsistent },
      ]),
    );
    const answer = await client.send(new BatchGetCommand({ RequestItems }), { abortSignal });
    for (const [table, items] of Object.entries(answer.Responses ?? {}))
      for (const item of items) found.set(nameOf(table, item), item);
    const left = Object.entries(answer.UnprocessedKeys ?? {}).flatMap(([table, { Keys = [] }]) =>
      Keys.map((key) => nameOf(table, key)),
    );
    const unprocessed = new Set(left);
    wanted = wanted.filter((place) => unprocessed.has(nameOf(place.table, place)));
  }
  return places.map((place) => found.get(nameOf(place.table, place)));
}

function nameOf(table: string, { pk, sk }: Item | Key): string {
  return `${table} ${String(pk)} ${String(sk)}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
