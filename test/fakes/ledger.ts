import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { deliveryKey, makeDeliveryReader, makeReadKnown, makeRecord } from '../../lambdas/delivery/store.ts';
import { makeEventStore } from '../../lambdas/event/store.ts';
import { makeBatchedRead } from '../../lambdas/shared/store.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { memoryTables } from './table/memory-tables.ts';
import type { MemoryTables } from './table/memory-tables.ts';

export interface MemoryLedger {
  readonly events: ReturnType<typeof makeEventStore>;
  readonly deliveries: ReturnType<typeof makeDeliveryReader>;
  readonly record: ReturnType<typeof makeRecord>;
  readonly readKnown: ReturnType<typeof makeReadKnown>;
  /** Removes a delivery, as nobody but a test and a hand in the console may. */
  readonly removeByHand: (endpointId: string, eventId: string) => void;
  readonly tables: MemoryTables;
  readonly now: Now;
}

/** The stores of events and deliveries over a table in memory, of its own unless one is given. */
export function memoryLedger(now: Now, tables = memoryTables({ now })): MemoryLedger {
  const { client, ledger } = tables;
  return {
    events: makeEventStore(client, ledger, now),
    deliveries: makeDeliveryReader(client, ledger, now),
    record: makeRecord(client, ledger),
    readKnown: makeReadKnown(makeBatchedRead(client, ledger), now),
    removeByHand: (endpointId, eventId) => {
      // It is done by the time that `send` returns.
      void client.send(new DeleteCommand({ TableName: ledger, Key: deliveryKey(endpointId, eventId) }));
    },
    ...{ tables, now },
  };
}
