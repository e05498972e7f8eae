import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { eventIdsBetween } from '../../lambdas/event/event-id.ts';
import { candidatesOf } from '../../lambdas/recovery/candidates.ts';
import type { CandidatePage } from '../../lambdas/recovery/candidates.ts';
import { newJob } from '../../lambdas/recovery/job.ts';
import type { Job } from '../../lambdas/recovery/job.ts';
import type { makeJobStore } from '../../lambdas/recovery/store.ts';
import { jobId, newJobId } from '../../lambdas/shared/identifier.ts';
import type { Page, PageQuery } from '../../lambdas/shared/page.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { testStartMs } from './clock.ts';
import { endpointIdOf } from './ids.ts';
import type { MemoryLedger } from './ledger.ts';
import { pageOf } from './page.ts';
import type { Listing } from './page.ts';
import { soon } from './soon.ts';

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

/** Jobs in memory. */
export function memoryJobs(now: Now): JobStore {
  const jobs = new Map<string, Job>();
  const keyOf = ({ organizationId, id }: Pick<Job, 'organizationId' | 'id'>) => `${organizationId} ${id}`;
  const isAlive = ({ expiresAt }: Job) => expiresAt * 1000 > now();
  const put = (job: Job) => void jobs.set(keyOf(job), structuredClone(job));
  const find = (organizationId: string, id: string) => {
    const job = jobs.get(keyOf({ organizationId, id }));
    return job !== undefined && isAlive(job) ? structuredClone(job) : undefined;
  };
  return {
    get: (organizationId, id) => soon(() => find(organizationId, id)),
    add: (job) =>
      soon(() => {
        put(job);
      }),
    advance: (before, after) =>
      soon(() => {
        const there = jobs.get(keyOf(after));
        if (there?.version === before.version) put(after);
        else return isDeepStrictEqual(there, after);
        return true;
      }),
    cancel: (organizationId, id) =>
      soon(() => {
        const job = find(organizationId, id);
        if (job?.status !== 'running') return;
        const at = isoTime(now());
        put({ ...job, status: 'cancelled', updatedAt: at, finishedAt: at, version: job.version + 1 });
      }),
    list: (organizationId, query) =>
      soon(() => {
        const own = [...jobs.values()].filter((job) => job.organizationId === organizationId);
        const page = pageOf(own, query, newestFirst);
        return { ...page, data: structuredClone(page.data.filter(isAlive)) };
      }),
  };
}

const newestFirst: Listing<Job> = {
  order: 'descending',
  position: z.tuple([jobId]),
  placeOf: ({ id }) => [id],
};

/** Reads what a job looks at from a ledger in memory, in pages of a hundred unless it says otherwise. */
export function memoryCandidates({ events, deliveries }: MemoryLedger, pageItems = 100) {
  return async function readCandidates(job: Job): Promise<CandidatePage> {
    const { organizationId, endpointId, cursor } = job;
    const [least, greatest] = eventIdsBetween(Date.parse(job.since), Date.parse(job.until));
    const isInSpan = (eventId: string) => eventId >= least && eventId <= greatest;
    if (endpointId === undefined) {
      const dead = await all((query) => deliveries.withStatus(organizationId, 'dead', query));
      const placeOf = (one: Pick<(typeof dead)[number], 'eventId' | 'endpointId'>) =>
        `${one.eventId} ${one.endpointId}`;
      const rest = dead
        .filter((one) => isInSpan(one.eventId) && (cursor === undefined || placeOf(one) > placeOf(cursor)))
        .toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
      const page = rest.slice(0, pageItems);
      const last = page.at(-1);
      return {
        candidates: page.map((delivery) => ({ ids: delivery, delivery })),
        examined: page.length,
        cursor: last && { eventId: last.eventId, endpointId: last.endpointId },
        isLast: rest.length <= pageItems,
      };
    }
    const own = await all((query) => events.list(organizationId, query));
    const rest = own
      .filter(({ id }) => isInSpan(id) && (cursor === undefined || id > cursor.eventId))
      .toReversed();
    const page = rest.slice(0, pageItems);
    const made = await Promise.all(page.map(({ id }) => deliveries.get(endpointId, id)));
    const last = page.at(-1);
    return {
      candidates: candidatesOf(
        endpointId,
        page,
        made.filter((one) => one !== undefined),
      ),
      examined: page.length,
      cursor: last && { eventId: last.id, endpointId },
      isLast: rest.length <= pageItems,
    };
  };
}

async function all<Item>(list: (query: PageQuery) => Promise<Page<Item>>): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<Item> = await list({ limit: 250, cursor });
    items.push(...page.data);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
