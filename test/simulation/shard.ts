import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { plantOf } from './planted.ts';
import { run } from './simulate.ts';

const shard = z.object({
  from: z.number(),
  until: z.number(),
  /** As many as there are threads: each takes the seeds that the others leave out. */
  step: z.number(),
  plant: z.string().optional(),
});

type Shard = z.output<typeof shard>;

const report = z.object({
  seeds: z.number(),
  turns: z.number(),
  violations: z.array(z.object({ seed: z.number(), invariant: z.string(), text: z.string() })),
});

/** What a thread has found out since its last report. */
export type Report = z.output<typeof report>;

const seedsPerReport = 100;

/** Lives through seeds in threads, and hears from each of them now and then. */
export async function runInThreads(
  { from, seeds, plant }: { from: number; seeds: number; plant: string | undefined },
  threads: number,
  onReport: (report: Report) => void,
): Promise<void> {
  const step = Math.min(seeds, threads);
  const ends = Array.from({ length: step }, (_, index) => {
    const data: Shard = { from: from + index, until: from + seeds, step, plant };
    const thread = new Worker(new URL(import.meta.url), { workerData: data });
    return new Promise<void>((resolve, reject) => {
      thread.on('message', (message) => {
        onReport(report.parse(message));
      });
      thread.on('error', reject);
      thread.on('exit', () => {
        resolve();
      });
    });
  });
  await Promise.all(ends);
}

async function work({ from, until, step, plant }: Shard, tell: (report: Report) => void): Promise<void> {
  const options = plant === undefined ? {} : { plant: plantOf(plant) };
  let since: Report = { seeds: 0, turns: 0, violations: [] };
  for (let seed = from; seed < until; seed += step) {
    const { turns, violation } = await run(seed, options);
    const violations = violation === undefined ? [] : [{ seed, ...violation }];
    since = {
      seeds: since.seeds + 1,
      turns: since.turns + turns,
      violations: [...since.violations, ...violations],
    };
    if (since.seeds < seedsPerReport && violations.length === 0) continue;
    tell(since);
    since = { seeds: 0, turns: 0, violations: [] };
    // What a run leaves behind is let go only when the event loop turns.
    await new Promise((resolve) => setImmediate(resolve));
  }
  tell(since);
}

if (!isMainThread) {
  // Thousands of faults are thrown, and nobody looks where they come from.
  Error.stackTraceLimit = 0;
  await work(shard.parse(workerData), (found) => {
    parentPort?.postMessage(found);
  });
}
