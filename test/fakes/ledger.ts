import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import type { Known } from '../../lambdas/delivery/decide.ts';
import type { Delivery } from '../../lambdas/delivery/delivery.ts';
import { deliveryKey } from '../../lambdas/delivery/key.ts';
import type { DeliveryMessage } from '../../lambdas/delivery/message.ts';
import { makeRecord, makeRewrite, makeStrikeOff } from '../../lambdas/delivery/record/store.ts';
import { makeDeliveryReader, makeReadKnown } from '../../lambdas/delivery/store.ts';
import { makeEventStore } from '../../lambdas/event/store.ts';
import type { ReadWaiting } from '../../lambdas/recovery/waiting/row.ts';
import { makeReadWaiting } from '../../lambdas/recovery/waiting/store.ts';
import { makeBatchedRead } from '../../lambdas/shared/store.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { memoryTables } from './table/memory-tables.ts';
import type { MemoryTables } from './table/memory-tables.ts';

type Record = (after: Delivery) => Promise<'recorded' | 'superseded'>;

/** What a store needs of tables, in memory or not. */
export type StoreTables = Pick<MemoryTables, 'client' | 'config' | 'ledger'>;

export interface MemoryLedger {
  readonly tables: StoreTables;
  readonly events: ReturnType<typeof makeEventStore>;
  readonly deliveries: ReturnType<typeof makeDeliveryReader>;
  readonly record: Record;
  readonly rewrite: Record;
  readonly strikeOff: (delivery: Delivery) => Promise<void>;
  readonly readKnown: (message: DeliveryMessage) => Promise<Known>;
  readonly waiting: ReadWaiting;
  /** Removes a delivery, as nobody but a test and a hand in the console may. */
  readonly removeByHand: (endpointId: string, eventId: string) => Promise<void>;
}

/** The ledger: the real stores over a table in memory. */
export function memoryLedger(now: Now, tables: StoreTables = memoryTables({ now })): MemoryLedger {
  const { client, ledger } = tables;
  return {
    tables,
    events: makeEventStore(client, ledger, now),
    deliveries: makeDeliveryReader(client, ledger, now),
    record: makeRecord(client, ledger, now),
    rewrite: makeRewrite(client, ledger, now),
    strikeOff: makeStrikeOff(client, ledger),
    readKnown: makeReadKnown(makeBatchedRead(client, ledger), now),
    waiting: makeReadWaiting(client, ledger, now),
    removeByHand: async (endpointId, eventId) => {
      await client.send(new DeleteCommand({ TableName: ledger, Key: deliveryKey(endpointId, eventId) }));
    },
  };
}
