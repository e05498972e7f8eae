import { Conflict } from '../shared/errors.ts';
import type { Page, PageQuery } from '../shared/page.ts';
import { messageOf } from './job.ts';
import type { Job, JobMessage } from './job.ts';

export interface BeginPorts {
  readonly jobs: {
    readonly add: (added: Job) => Promise<void>;
    readonly list: (organizationId: string, query: PageQuery) => Promise<Page<Job>>;
  };
  /** Has a job worked on, after some seconds. */
  readonly start: (message: JobMessage, delaySeconds: number) => Promise<void>;
}

/** By then the job is written; a message that finds none comes back later. */
const startSeconds = 2;

/** Jobs among which another of the same kind is looked for: the latest ones. */
const lookedAtMax = 100;

/**
 * Begins a job. Its message goes first: without its job it does nothing and is dropped, whereas a job without a
 * message would say for ever that it is running. So a job that was accepted has its message, and a refused one leaves
 * nothing.
 *
 * @throws Conflict `job_running` when one for the same endpoint, or for the whole organization, is running.
 */
export async function begin(ports: BeginPorts, wanted: Job): Promise<Job> {
  const isRunning = await runningOf(ports, wanted.organizationId);
  if (isRunning(wanted)) {
    throw new Conflict('job_running', 'One is running already: let it end, or cancel it.');
  }
  return put(ports, wanted);
}

/** Jobs that are begun at the same time. */
const atOnce = 10;

/** Begins many jobs of one organization, of different endpoints; those of which one is running are left out. */
export async function beginAll(
  ports: BeginPorts,
  organizationId: string,
  wanted: readonly Job[],
): Promise<Job[]> {
  const isRunning = await runningOf(ports, organizationId);
  const due = wanted.filter((job) => !isRunning(job));
  const begun: Job[] = [];
  for (let from = 0; from < due.length; from += atOnce) {
    begun.push(...(await Promise.all(due.slice(from, from + atOnce).map((job) => put(ports, job)))));
  }
  return begun;
}

async function runningOf({ jobs }: BeginPorts, organizationId: string): Promise<(wanted: Job) => boolean> {
  const { data } = await jobs.list(organizationId, { limit: lookedAtMax });
  const running = new Set(
    data.filter(({ status }) => status === 'running').map(({ endpointId }) => endpointId),
  );
  return ({ endpointId }) => running.has(endpointId);
}

async function put({ jobs, start }: BeginPorts, wanted: Job): Promise<Job> {
  await start(messageOf(wanted), startSeconds);
  await jobs.add(wanted);
  return wanted;
}
