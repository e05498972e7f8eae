import { messageOf } from '../../../lambdas/recovery/job.ts';
import type { Job } from '../../../lambdas/recovery/job.ts';
import { recover } from '../../../lambdas/recovery/recover.ts';
import { memoryCandidates, memoryJobs } from '../../fakes/jobs.ts';
import type { Scene } from './a-scene.ts';

/** Works on the only page of a job, over what a scene holds; gives the jobs. */
export async function recoverIn({ clock, ledger, ports }: Scene, job: Job) {
  const jobs = memoryJobs(clock.now, ledger.tables);
  await jobs.add(job);
  const { send, announce, log, now } = ports;
  await recover(
    {
      ...{ jobs, send, announce, log, now },
      readPage: memoryCandidates(ledger, clock.now),
      receives: () => Promise.resolve(true),
      goOn: () => Promise.reject(new Error('a page is enough')),
    },
    messageOf(job),
    { sentAtMs: clock.now(), receiveCount: 1, remainingMs: () => 60_000 },
  );
  return jobs;
}
