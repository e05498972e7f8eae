import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient, QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import type { Input } from './draw-expressions.ts';
import { drawnRead, drawnTransaction, drawnWrite } from './draw-requests.ts';
import type { Step } from './draw-requests.ts';
import { startTables } from './tables.ts';
import type { Tables } from './tables.ts';

/**
 * The table in memory beside dynalite: the same requests, the same answers, the same refusals.
 *
 * Where they differ, DynamoDB does as the table in memory, and what differs is not drawn:
 * - dynalite finds no two lists and no two maps equal, and two attributes equal that are both missing.
 * - dynalite takes an empty string for the key of an index, and for a bound of a key condition.
 * - dynalite gives attributes of an index that it does not project as missing, and filters by them.
 * - dynalite ends a page of a batch at 1.4 MB instead of 16.
 * - dynalite lets the condition of a write name a part of a key, as in `pk.x`.
 * - dynalite compares the bounds of BETWEEN as JavaScript does, which is not the order of their bytes.
 * - dynalite finds no size of an empty string.
 * - dynalite knows no transactions: local/aws makes them of its writes.
 * - Among items of an index with the same sort key there is no order: pages are compared as a whole.
 */
let dynalite: Tables;
const memory = memoryTables({ now: () => 0 });
beforeAll(async () => {
  dynalite = await startTables();
});
afterAll(() => dynalite.close());

type Send = (client: DynamoDBDocumentClient) => Promise<unknown>;
const TableName = 'ledger';

/** Sends a step, in the partitions of its run alone. */
function sendOf({ kind, input }: Step, run: string): Send {
  const own = JSON.parse(JSON.stringify(input).replaceAll('RUN', run)) as Input;
  const given = { TableName, ...own, ...bytesIn(own) };
  switch (kind) {
    case 'put':
      return async (client) => plain(await client.send(new PutCommand({ Item: {}, ...given })));
    case 'update':
      return async (client) => plain(await client.send(new UpdateCommand({ Key: {}, ...given })));
    case 'delete':
      return async (client) => plain(await client.send(new DeleteCommand({ Key: {}, ...given })));
    case 'transaction':
      return async (client) => {
        const TransactItems = transactItems.parse(own['TransactItems']);
        return plain(await client.send(new TransactWriteCommand({ TransactItems })));
      };
    case 'get':
      return async (client) => plain(await client.send(new GetCommand({ Key: {}, ...given })));
    case 'batch':
      return async (client) => {
        const RequestItems = { [TableName]: { Keys: [], ...own } };
        const answer = await client.send(new BatchGetCommand({ RequestItems }));
        return (answer.Responses?.[TableName] ?? []).map(textOf).toSorted();
      };
    case 'query':
      return async (client) => (await pagesOf(client, own)).map(plain);
    case 'index':
      return async (client) => {
        const pages = await pagesOf(client, own);
        return pages
          .flatMap(({ Items, Count }): unknown[] => Items ?? [Count])
          .map(textOf)
          .toSorted();
      };
  }
}

async function pagesOf(client: DynamoDBDocumentClient, query: Input): Promise<QueryCommandOutput[]> {
  const pages: QueryCommandOutput[] = [];
  let from: Input | undefined;
  do {
    const answer = await client.send(new QueryCommand({ TableName, ...query, ExclusiveStartKey: from }));
    pages.push(answer);
    from = answer.LastEvaluatedKey;
  } while (from !== undefined);
  return pages;
}

/** JSON has no bytes: an attribute `bytes` is made of its numbers. */
function bytesIn({ Item }: Input): Input {
  if (typeof Item !== 'object' || Item === null || !('bytes' in Item) || !Array.isArray(Item.bytes))
    return {};
  return { Item: { ...Item, bytes: Uint8Array.from(Item.bytes) } };
}

function plain(answer: object): Input {
  return Object.fromEntries(
    Object.entries(answer).filter(([name, value]) => name !== '$metadata' && !isDeepStrictEqual(value, {})),
  );
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

const given = z.looseObject({}).transform((input) => ({ ...input, TableName }));
const transactItems = z.array(
  z.union([
    z.strictObject({ Put: given.transform((input) => ({ Item: {}, ...input })) }),
    z.strictObject({ Update: given.transform((input) => ({ Key: {}, UpdateExpression: '', ...input })) }),
    z.strictObject({ Delete: given.transform((input) => ({ Key: {}, ...input })) }),
  ]),
);

async function outcomeOf(send: Send, client: DynamoDBDocumentClient): Promise<unknown> {
  try {
    return await send(client);
  } catch (fault) {
    if (!(fault instanceof Error)) throw fault;
    if (fault instanceof TransactionCanceledException) return [fault.message, fault.CancellationReasons];
    return `refused: ${fault.name}`;
  }
}

let runs = 0;

test('whatever is asked for, the table in memory answers and refuses as dynalite does', async () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: drawnWrite },
      { weight: 2, arbitrary: drawnRead },
      { weight: 1, arbitrary: drawnTransaction },
    ),
    {
      minLength: 10,
      maxLength: 30,
    },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const run = `run-${(runs += 1)}`;
      for (const step of all) {
        const send = sendOf(step, run);
        const [theirs, ours] = [await outcomeOf(send, dynalite.client), await outcomeOf(send, memory.client)];
        expect(ours, JSON.stringify(step)).toEqual(theirs);
      }
    }),
    { numRuns: 40 },
  );
});
