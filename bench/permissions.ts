import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { synthesize } from '../local/synthesis.ts';
import { percentile, startScene } from './scene.ts';

/**
 * What it costs that every call is judged: the same events through the whole stack with and without, in turn, since this
 * machine is not alone. Says how often somebody was asked, how long an answer takes, and how much longer everything does.
 */
const { values } = parseArgs({
  options: { events: { type: 'string', default: '300' }, rounds: { type: 'string', default: '3' } },
});
const eventCount = z.coerce.number().int().min(10).parse(values.events);
const rounds = z.coerce.number().int().min(1).parse(values.rounds);

interface Run {
  readonly seconds: number;
  readonly judged: number;
  readonly judgingMs: number;
}

const folder = await mkdtemp(join(tmpdir(), 'tidings-bench-'));
await synthesize(folder);
const [judged, unjudged]: [Run[], Run[]] = [[], []];
for (let round = 0; round < rounds; round += 1) {
  judged.push(await run(true));
  unjudged.push(await run(false));
}
await rm(folder, { recursive: true });
report();

async function run(isJudged: boolean): Promise<Run> {
  let arrived = 0;
  const scene = await startScene({
    onArrival: (_arrival, response) => {
      arrived += 1;
      response.writeHead(204).end();
    },
    runtime: { templateFolder: folder, ...(isJudged ? {} : { permissions: { isJudged } }) },
  });
  await scene.makeEndpoint('/one', { eventTypes: ['*'] });
  const before = scene.spent();
  const startedMs = performance.now();
  const event = { type: 'pipeline.run.succeeded', detail: { data: { runId: 1 } } };
  for (let sent = 0; sent < eventCount; sent += 10) {
    await scene.publish(...Array.from({ length: Math.min(10, eventCount - sent) }, () => event));
  }
  while (arrived < eventCount) await pause(5);
  const seconds = (performance.now() - startedMs) / 1000;
  const after = scene.spent();
  await scene.stop();
  return { seconds, judged: after.judged - before.judged, judgingMs: after.ms - before.ms };
}

function report(): void {
  const secondsOf = (runs: readonly Run[]) =>
    percentile(
      runs.map((one) => one.seconds),
      0.5,
    );
  const asked = judged.reduce((sum, one) => sum + one.judged, 0);
  const askedMs = judged.reduce((sum, one) => sum + one.judgingMs, 0);
  const lines = [
    `${eventCount} events, ${rounds} times each: ${(asked / rounds).toFixed(0)} judgements, ${((askedMs * 1000) / asked).toFixed(1)} µs each`,
    `judged ${secondsOf(judged).toFixed(2)} s, unjudged ${secondsOf(unjudged).toFixed(2)} s`,
    `ratio: ${(secondsOf(judged) / secondsOf(unjudged)).toFixed(2)}; of the time itself: ${((askedMs / 1000 / judged.reduce((sum, one) => sum + one.seconds, 0)) * 100).toFixed(1)} %`,
  ];
  for (const line of lines) console.log(line);
}
