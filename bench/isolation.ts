import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { builtInEventTypes } from '../lambdas/event/catalogue.ts';
import { makeReport } from './isolation-report.ts';
import type { Known, Sent } from './isolation-report.ts';
import { startScene } from './scene.ts';

/**
 * One endpoint that takes half of all traffic and hangs: how long do the others wait? (DESIGN.md, R6.)
 *
 * Each event goes to one of ten healthy endpoints and to the one that will hang, so that the two deliveries leave
 * routing together: nothing could be nearer to each other. Phase A: it answers at once; before and after phase B, so
 * that a machine that others use is compared with itself. Phase B: it never answers. Waiting is the time from
 * PutEvents to the arrival of the request. Of every twenty events one is refused by its healthy endpoint at first:
 * its second attempt goes through the lane where the hanging endpoint is served.
 */
const { values } = parseArgs({
  options: {
    /** Events a second; deliveries are twice as many. With more, two cores are busy with handshakes, and measure that. */
    rate: { type: 'string', default: '10' },
    /** Of each of the two phases A. */
    seconds: { type: 'string', default: '30' },
    'hanging-seconds': { type: 'string', default: '120' },
    /** The hanging endpoint's own. */
    timeout: { type: 'string', default: '15' },
    /** It answers after so many seconds instead of never. */
    late: { type: 'string', default: 'never' },
    /** The hanging endpoint has no circuit breaker. */
    'no-breaker': { type: 'boolean', default: false },
    /** That each lane works on at a time: as many as in an account, where they have more than one machine. */
    batches: { type: 'string', default: '100' },
  },
});
const positive = z.coerce.number().positive();
const perSecond = positive.parse(values.rate);
const secondsOf = { a: positive.parse(values.seconds), b: positive.parse(values['hanging-seconds']) };
const timeoutSeconds = positive.max(30).parse(values.timeout);
const lateMs = values.late === 'never' ? undefined : positive.parse(values.late) * 1000;
const warmUpSeconds = 10;
const refusedEvery = 20;

const types = builtInEventTypes.map(({ name }) => name).filter((name) => name !== 'webhook.test');
const healthyTypes = types.slice(0, 10);

const sent: Sent[] = [];
const lines = new Map<string, number>();
const known: Known = {};
let isHanging = false;
let hangingAttempts = 0;

const scene = await startScene({
  batchesMax: positive.int().parse(values.batches),
  onArrival: ({ path, atMs, body }, response) => {
    const answer = (status = 204) => response.writeHead(status).end();
    if (path === '/hangs' && isHanging) {
      hangingAttempts += 1;
      if (lateMs !== undefined) setTimeout(answer, lateMs);
      return;
    }
    if (path === '/hangs') answer();
    else answer(arrive(eventBody.parse(body).data.number, atMs));
  },
  onLog: (_name, line) => {
    if (isHanging && line.startsWith('{')) hear(logLine.parse(JSON.parse(line)));
  },
});

const eventBody = z.object({ data: z.object({ number: z.number() }) });
const logLine = z.object({ message: z.string(), cause: z.string().optional(), code: z.string().optional() });

/** @returns the status that the healthy endpoint answers with */
function arrive(number: number, atMs: number): number {
  const one = sent[number];
  if (one === undefined) throw new Error('an event arrived that was never sent');
  if (one.arrivedMs !== undefined) one.arrivedAgainMs ??= atMs;
  one.arrivedMs ??= atMs;
  return number % refusedEvery === 0 && one.arrivedAgainMs === undefined ? 500 : 204;
}

/** Counts what the functions say of deliveries, and when first of one that was put off. */
function hear({ message, cause, code }: z.output<typeof logLine>): void {
  if (message === 'delivery.waits' && cause === 'slow') known.slowMs ??= performance.now();
  if (message === 'delivery.waits' && cause === 'paused') known.pausedMs ??= performance.now();
  const name = [message, cause ?? code].filter((part) => part !== undefined).join(' ');
  lines.set(name, (lines.get(name) ?? 0) + 1);
}

async function main(): Promise<boolean> {
  const policy = { retry: { initialBackoffSeconds: 1 } };
  for (const [number, type] of healthyTypes.entries())
    await scene.makeEndpoint(`/healthy-${number}`, { eventTypes: [type], policy });
  const hanging = await makeNoisy();
  await publishFor(warmUpSeconds);
  const before = await publishFor(secondsOf.a);
  isHanging = true;
  const hangsSinceMs = performance.now();
  const during = await publishFor(secondsOf.b);
  isHanging = false;
  await scene.removeEndpoint(hanging);
  await makeNoisy();
  // Until the functions know of both, and the last attempts at the old one have ended.
  await publishFor(timeoutSeconds + warmUpSeconds);
  const after = await publishFor(secondsOf.a);
  const { isWell, text } = makeReport({ before, during, after, known, hangsSinceMs, lines, hangingAttempts });
  process.stdout.write(text);
  return isWell;
}

/** The endpoint that takes every event. */
function makeNoisy(): Promise<string> {
  const policy = { timeoutSeconds, ...(values['no-breaker'] ? { circuitBreaker: null } : {}) };
  return scene.makeEndpoint('/hangs', { eventTypes: ['*'], policy });
}

/** At a steady rate, whatever becomes of the events; answers when the healthy endpoints have taken all of them. */
async function publishFor(seconds: number): Promise<Sent[]> {
  const [first, startedMs] = [sent.length, performance.now()];
  const calls: Promise<void>[] = [];
  for (let count = 0; count < seconds * perSecond; count += 1) {
    await pause(Math.max(0, startedMs + (count * 1000) / perSecond - performance.now()));
    const depths = { deliveries: scene.waitingIn('deliveries'), retries: scene.waitingIn('retries') };
    const number = sent.push({ atMs: performance.now(), depths }) - 1;
    const type = healthyTypes[number % healthyTypes.length] ?? '';
    calls.push(scene.publish({ type, detail: { data: { number } } }));
  }
  await Promise.all(calls);
  const isTaken = (one: Sent, index: number) =>
    ((first + index) % refusedEvery === 0 ? one.arrivedAgainMs : one.arrivedMs) !== undefined;
  while (!sent.slice(first).every(isTaken)) await pause(50);
  return sent.slice(first);
}

const isWell = await main();
await scene.stop();
process.exit(isWell ? 0 : 1);
