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
export async function begin({ jobs, start }: BeginPorts, wanted: Job): Promise<Job> {
  const { data } = await jobs.list(wanted.organizationId, { limit: lookedAtMax });
  const isSame = ({ status, endpointId }: Job) => status === 'running' && endpointId === wanted.endpointId;
  if (data.some(isSame)) {
    throw new Conflict('job_running', 'One is running already: let it end, or cancel it.');
  }
  await start(messageOf(wanted), startSeconds);
  await jobs.add(wanted);
  return wanted;
}
