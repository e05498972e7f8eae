import type { Reserve } from '../../lambdas/endpoint/health/pace.ts';
import { makeHealthStore, makeReserve } from '../../lambdas/endpoint/health/store.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { memoryTables } from './table/memory-tables.ts';

export interface MemoryHealth extends ReturnType<typeof makeHealthStore> {
  readonly reserve: Reserve;
}

/** The stores of endpoints' health, and of the line of those that are held to a pace, over a table in memory. */
export function memoryHealth(now: Now, { client, ledger } = memoryTables({ now })): MemoryHealth {
  return { ...makeHealthStore(client, ledger, now), reserve: makeReserve(client, ledger, now) };
}
