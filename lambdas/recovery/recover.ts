import type { DeliveryMessage } from '../delivery/message.ts';
import { operatorEvent } from '../event/operator-event.ts';
import type { Announce } from '../event/operator-event.ts';
import type { Verdict } from '../shared/batch.ts';
import type { Log } from '../shared/log.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { isIncluded, lackOf, recoveringMessage } from './candidates.ts';
import type { Candidate, CandidatePage } from './candidates.ts';
import { messageOf } from './job.ts';
import type { Job, JobMessage } from './job.ts';
import type { Receives } from './receives.ts';

export interface RecoverPorts {
  readonly jobs: {
    readonly get: (organizationId: string, id: string) => Promise<Job | undefined>;
    /** Writes a job over the version that was read; false when somebody else has gone on with it, or ended it. */
    readonly advance: (before: Job, after: Job) => Promise<boolean>;
  };
  readonly readPage: (job: Job) => Promise<CandidatePage>;
  readonly receives: Receives;
  /** To the lane of later attempts, where it delays no fresh event. */
  readonly send: (message: DeliveryMessage, delaySeconds: number) => Promise<void>;
  /** Has the job worked on again. */
  readonly goOn: (message: JobMessage, delaySeconds: number) => Promise<void>;
  readonly announce: Announce;
  readonly now: Now;
  readonly log: Log;
}

export interface Reception {
  /** When SQS took the message. */
  readonly sentAtMs: number;
  readonly receiveCount: number;
  /** Milliseconds that the function may still run. */
  readonly remainingMs: () => number;
}

/** Of one job; the lane of later attempts delivers many times as much, so others have room in it. */
const perSecondMax = 50;

/** How far what was sent may be ahead of that pace before the job waits. */
const aheadMsMax = 1_000;

/** Enough for a page whose every call is slow: what does not end in time comes back only after its visibility. */
const pageMsMax = 40_000;

/** Then it is another's turn: jobs of one organization must not keep the drains of all others waiting. */
const sliceMs = 5_000;

/** The message is sent before the job is written (begin.ts); later than this, the job was never made. */
const makingMsMax = 60_000;

/**
 * Works on a job, page by page, as long as the pace and the function's time allow. The messages of a page are written
 * down together with where it ends, then sent, then struck off; so a crash anywhere leaves nothing out and counts
 * nothing twice. What is written down is sent, even if the job has been cancelled since.
 */
export async function recover(
  ports: RecoverPorts,
  message: JobMessage,
  { sentAtMs, receiveCount, remainingMs }: Reception,
): Promise<Verdict> {
  let job = await ports.jobs.get(message.organizationId, message.jobId);
  if (job === undefined) return ports.now() - sentAtMs > makingMsMax ? 'done' : 'failed';
  // Whoever wrote that it is finished may have died before he said so.
  if (job.status === 'finished' && receiveCount > 1) await tell(ports, job);
  const startedMs = ports.now();
  while (job.status === 'running' || job.outbox.length > 0) {
    const owes = job.outbox.length > 0;
    const nowMs = ports.now();
    const aheadMs = pacedMs(job, nowMs) - nowMs;
    if (!owes && (aheadMs > aheadMsMax || remainingMs() < pageMsMax || nowMs - startedMs > sliceMs))
      return goOnLater(ports, job, aheadMs);
    const after: Job = owes ? await sendOut(ports, job) : await turnPage(ports, job);
    if (!(await ports.jobs.advance(job, after))) return overtaken(ports, job);
    if (after.status === 'finished') await tell(ports, after);
    job = after;
  }
  return 'done';
}

/** When the next delivery may come, by the pace. */
function pacedMs({ notBefore }: Job, nowMs: number): number {
  return Math.max(nowMs, notBefore === undefined ? 0 : Date.parse(notBefore));
}

/** The job after its next page. */
async function turnPage(ports: RecoverPorts, job: Job): Promise<Job> {
  const page = await ports.readPage(job);
  const found = page.candidates.flatMap((candidate) => {
    const lack = lackOf(candidate, job);
    return lack !== undefined && isIncluded(job, candidate, lack) ? [{ candidate, lack }] : [];
  });
  const outbox = job.dryRun ? [] : await outboxOf(ports, job, found);
  const counts = { ...job.counts };
  counts.examined += page.examined;
  counts.sent += outbox.length;
  for (const { lack } of found) counts[lack] += 1;
  const at = isoTime(ports.now());
  const { cursor = job.cursor } = page;
  return {
    ...{ ...job, outbox, counts, version: job.version + 1, updatedAt: at },
    ...(cursor === undefined ? {} : { cursor }),
    // After a last page that has sent something one more is turned, an empty one.
    ...(page.isLast && outbox.length === 0 ? { status: 'finished', finishedAt: at } : {}),
  };
}

async function outboxOf(
  { receives }: RecoverPorts,
  { organizationId }: Job,
  found: readonly { readonly candidate: Candidate }[],
): Promise<DeliveryMessage[]> {
  const ids = [...new Set(found.map(({ candidate }) => candidate.ids.endpointId))];
  const answers = await Promise.all(ids.map((id) => receives(organizationId, id)));
  const receiving = new Set(ids.filter((_, index) => answers[index]));
  return found
    .filter(({ candidate }) => receiving.has(candidate.ids.endpointId))
    .map(({ candidate }) => recoveringMessage(candidate));
}

/** The job after what it owes was sent, spread by the pace; what had been sent before does nothing a second time. */
async function sendOut({ send, now }: RecoverPorts, job: Job): Promise<Job> {
  const nowMs = now();
  const fromMs = pacedMs(job, nowMs);
  const timeOf = (index: number) => fromMs + (index * 1000) / perSecondMax;
  await Promise.all(
    job.outbox.map((message, index) => send(message, Math.floor((timeOf(index) - nowMs) / 1000))),
  );
  return {
    ...{ ...job, outbox: [], version: job.version + 1, updatedAt: isoTime(now()) },
    notBefore: isoTime(timeOf(job.outbox.length)),
  };
}

/** Leaves the job to its next message. */
async function goOnLater(ports: RecoverPorts, job: Job, waitMs: number): Promise<Verdict> {
  const { organizationId, id: jobId, counts } = job;
  await ports.goOn(messageOf(job), Math.ceil(waitMs / 1000));
  ports.log('recovery.advanced', { organizationId, jobId, ...counts });
  return 'done';
}

/** Another copy of the message has turned the page, or somebody has cancelled the job: this copy ends here. */
function overtaken({ log }: RecoverPorts, { organizationId, id: jobId, version }: Job): Verdict {
  log('recovery.overtaken', { organizationId, jobId, version });
  return 'done';
}

async function tell({ announce, log }: RecoverPorts, job: Job): Promise<void> {
  const { organizationId, id: jobId, endpointId, dryRun, counts } = job;
  const said = { organizationId, jobId, endpointId, dryRun, ...counts };
  await announce(operatorEvent('recovery.finished', said));
  log('recovery.finished', said);
}
