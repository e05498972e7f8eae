import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { clientOf } from './client.ts';
import { tableShapes } from './shapes.ts';
import { compareText } from './text.ts';
import { Table } from './table.ts';
import type { OnWrite } from './table.ts';
import { Transactions } from './transactions.ts';
import type { Observe } from './units.ts';

export interface MemoryTables {
  readonly client: DynamoDBDocumentClient;
  /** Another client of the same tables, whose requests take time, or somebody else is told of. */
  readonly clientFor: (wish: ClientWish) => DynamoDBDocumentClient;
  readonly config: string;
  readonly ledger: string;
  readonly close: () => Promise<void>;
  /** Deletes items of the ledger whose time has passed, as DynamoDB does a day late or two; how many there were. */
  readonly sweep: (nowMs: number) => number;
  /** Whether an index of the ledger shows anything between two places of a partition, the first one not included. */
  readonly hasAny: (index: string, partition: string, stretch: { after: string; through: string }) => boolean;
}

export interface MemoryTablesWish {
  readonly now: () => number;
  /** How far indexes are behind the tables, in milliseconds. */
  readonly indexLagMs?: () => number;
  /** How far reads without strong consistency are behind; without it they are not. */
  readonly readLagMs?: () => number;
  /** Is told of every request that was carried out, or whose condition failed. */
  readonly observe?: Observe;
  readonly onWrite?: OnWrite;
}

export interface ClientWish {
  readonly observe: Observe;
  /** Waits as long as a request is on its way. */
  readonly travel: () => Promise<void>;
}

/** The two tables of lib/storage.ts in memory, for the real stores: the same as dynalite, a hundred times as fast. */
export function memoryTables(wish: MemoryTablesWish): MemoryTables {
  const { now, indexLagMs = () => 0, readLagMs, observe = () => undefined, onWrite } = wish;
  const tables = tableShapes.map((shape) => new Table(shape, { now, indexLagMs, readLagMs, onWrite }));
  const account = { tables, transactions: new Transactions(now) };
  const ledger = tables.filter(({ shape }) => shape.name === 'ledger');
  return {
    client: clientOf(account, observe),
    clientFor: (own) => clientOf(account, own.observe, own.travel),
    config: 'config',
    ledger: 'ledger',
    close: () => Promise.resolve(),
    sweep: (nowMs) => {
      let swept = 0;
      for (const table of ledger) swept += sweep(table, nowMs);
      return swept;
    },
    hasAny: (index, partition, { after, through }) =>
      ledger.some((table) => {
        const found = table.indexPartition(table.index(index), partition);
        const [first] = found?.upwards(({ sort }) => compareText(sort, after) <= 0) ?? [];
        return first !== undefined && compareText(first.sort, through) <= 0;
      }),
  };
}

function sweep(table: Table, nowMs: number): number {
  const over = [...table.all()].filter(({ item: { expiresAt } }) => {
    // Whole seconds; DynamoDB leaves what is no number.
    return typeof expiresAt === 'number' && expiresAt * 1_000 <= nowMs;
  });
  for (const entry of over) table.write(entry, undefined);
  return over.length;
}
