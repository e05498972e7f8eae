import { z } from 'zod';
import { deliveryMessage } from '../delivery/message.ts';
import { endpointId, eventId, jobId, organizationId } from '../shared/identifier.ts';
import { expiryOf, isoTime, shownTime } from '../shared/time.ts';
import { timeOfUlid } from '../shared/ulid.ts';

/**
 * What can be lacking: `dead`, its attempts used up; `discarded`, not made on purpose; `missing`, of which nothing
 * was ever recorded, or whose next attempt is long overdue.
 */
export const lack = z.enum(['dead', 'discarded', 'missing']);

/** What can be recovered: also only that `discarded` which was so because the organization had no plan for it. */
export const recoverable = z.enum([...lack.options, 'not_entitled']).meta({ id: 'Recoverable' });

export type Lack = z.output<typeof lack>;

const count = z.number().int();

/** What of a job its organization sees. */
const publicJob = z.object({
  id: jobId,
  /** Without one, the dead deliveries of the whole organization. */
  endpointId: endpointId.exactOptional(),
  /** Only what happened from `since` until `until`. */
  since: shownTime,
  until: shownTime,
  include: z.array(recoverable),
  /** It counts, and sends nothing. */
  dryRun: z.boolean(),
  status: z.enum(['running', 'finished', 'cancelled']).meta({ id: 'JobStatus' }),
  /** What was looked at, what was found, what was sent: nothing to an endpoint that receives nothing now. */
  counts: z
    .object({ examined: count, dead: count, discarded: count, missing: count, sent: count })
    .meta({ id: 'JobCounts' }),
  /** Subject of the token by which it was asked for. */
  requestedBy: z.string(),
  createdAt: shownTime,
  updatedAt: shownTime,
  finishedAt: shownTime.exactOptional(),
});

/** A recovery as the ledger keeps it. */
export const job = publicJob.extend({
  organizationId,
  /** Counts the writes; each is made over the version that was read, so of two workers one goes on. */
  version: count,
  /** Where the last page ended; of dead letters, whether it was among those from before their list was spread. */
  cursor: z.object({ eventId, endpointId, isUnspread: z.literal(true).exactOptional() }).exactOptional(),
  /** Messages of the last page: counted together with it, so they are owed, whoever dies. */
  outbox: z.array(deliveryMessage),
  /** The next delivery must not come before, however many copies of the job's message there are. */
  notBefore: z.string().exactOptional(),
  /** Epoch seconds. */
  expiresAt: z.number(),
});

export type Job = z.output<typeof job>;

/** What travels in `recovery` to have a job worked on. */
export const jobMessage = z.object({ v: z.literal(1), organizationId, jobId });

export type JobMessage = z.output<typeof jobMessage>;

/** The message that has a job worked on. */
export function messageOf({ organizationId, id }: Pick<Job, 'organizationId' | 'id'>): JobMessage {
  return { v: 1, organizationId, jobId: id };
}

/** The message as SQS takes it: an organization with many jobs stands back (fair queues). */
export function outgoingJob(message: JobMessage, delaySeconds: number) {
  return { body: JSON.stringify(message), delaySeconds, groupId: message.organizationId };
}

export type JobWish = Pick<
  Job,
  'id' | 'organizationId' | 'endpointId' | 'since' | 'until' | 'include' | 'dryRun' | 'requestedBy'
>;

/** A job that has not begun. */
export function newJob(wish: JobWish, nowMs: number, retentionDays: number): Job {
  const at = isoTime(nowMs);
  return {
    ...wish,
    status: 'running',
    counts: { examined: 0, dead: 0, discarded: 0, missing: 0, sent: 0 },
    createdAt: at,
    updatedAt: at,
    version: 1,
    outbox: [],
    expiresAt: expiryOf(nowMs, retentionDays),
  };
}

/** A job as the API shows it. */
export const shownJob = publicJob
  .extend({
    /** From 0 to 1, by the time span: how much of it has been looked at. */
    progress: z.number(),
  })
  .meta({ id: 'Job' });

/** What the API shows of a job. */
export function show(job: Job): z.output<typeof shownJob> {
  return { ...publicJob.parse(job), progress: progressOf(job) };
}

function progressOf({ status, cursor, since, until, createdAt, expiresAt }: Job): number {
  if (status === 'finished') return 1;
  if (cursor === undefined) return 0;
  const createdMs = Date.parse(createdAt);
  // A span may begin long before the oldest event that is kept, which is as old as a job gets.
  const fromMs = Math.max(Date.parse(since), createdMs - (expiresAt * 1000 - createdMs));
  // An event's id holds its time.
  const reachedMs = timeOfUlid(cursor.eventId.slice('evt_'.length));
  const part = (reachedMs - fromMs) / Math.max(1, Date.parse(until) - fromMs);
  return Math.round(Math.min(1, Math.max(0, part)) * 1_000) / 1_000;
}
