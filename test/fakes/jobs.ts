import { newJob } from '../../lambdas/recovery/job.ts';
import type { Job } from '../../lambdas/recovery/job.ts';
import { makeJobStore, makeReadCandidates } from '../../lambdas/recovery/store.ts';
import { newJobId } from '../../lambdas/shared/identifier.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { testStartMs } from './clock.ts';
import { endpointIdOf } from './ids.ts';
import type { MemoryLedger, StoreTables } from './ledger.ts';
import { memoryTables } from './table/memory-tables.ts';

interface Wish extends Partial<Omit<Job, 'endpointId'>> {
  readonly timeMs?: number;
  /** `null` for the whole organization. */
  readonly endpointId?: string | null;
}

/** A job that has not begun: everything that the endpoint `one` did not get since a day ago. */
export function aJob({ timeMs = testStartMs, endpointId = endpointIdOf('one'), ...given }: Wish = {}): Job {
  const wish = {
    id: newJobId(timeMs, () => new Uint8Array(10)),
    organizationId: 'org_1',
    since: isoTime(timeMs - 86_400_000),
    until: isoTime(timeMs),
    include: ['dead', 'discarded', 'missing'] as Job['include'],
    dryRun: false,
    requestedBy: 'user_5',
    ...(endpointId === null ? {} : { endpointId }),
  };
  return { ...newJob(wish, timeMs, 30), ...given };
}

export type JobStore = ReturnType<typeof makeJobStore>;

/** Jobs in the ledger: the real store over a table in memory. */
export function memoryJobs(now: Now, { client, ledger }: StoreTables = memoryTables({ now })): JobStore {
  return makeJobStore(client, ledger, now);
}

/** Reads what a job looks at from a ledger in memory. */
export function memoryCandidates({ tables: { client, ledger } }: MemoryLedger, now: Now, pageItems = 100) {
  return makeReadCandidates(client, ledger, { now, pageItems });
}
