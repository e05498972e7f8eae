import type { Take } from '../../lambdas/endpoint/health/pace.ts';
import { makeHang } from '../../lambdas/endpoint/health/hanging/store.ts';
import { makeTake } from '../../lambdas/endpoint/health/pace/store.ts';
import type { Hang } from '../../lambdas/endpoint/health/slow.ts';
import { makeHealthStore } from '../../lambdas/endpoint/health/store.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import type { StoreTables } from './ledger.ts';
import { memoryTables } from './table/memory-tables.ts';

export interface MemoryHealth extends ReturnType<typeof makeHealthStore> {
  readonly take: Take;
  readonly hang: Hang;
}

/** What the ledger keeps of endpoints: the real stores over a table in memory. */
export function memoryHealth(
  now: Now,
  { client, ledger }: StoreTables = memoryTables({ now }),
): MemoryHealth {
  return {
    ...makeHealthStore(client, ledger, now),
    take: makeTake(client, ledger, now),
    hang: makeHang(client, ledger, now),
  };
}
