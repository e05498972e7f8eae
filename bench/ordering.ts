import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { startScene } from './scene.ts';
import type { Published } from './scene.ts';

/**
 * Events of one resource, no failures: how often does order break on the whole way? In three
 * manners: one PutEvents after another, ten events in each, and with a pause between them; each with `occurredAt` by
 * the producer (milliseconds) and without (the bus's own time, to the second). Order is promised nowhere on this way,
 * so nothing is asserted but that all arrive.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000' },
    /** How many of them with a pause between. */
    paused: { type: 'string', default: '200' },
    'pause-ms': { type: 'string', default: '100' },
  },
});
const count = z.coerce.number().int().min(2).parse(values.events);
const pausedCount = z.coerce.number().int().min(2).parse(values.paused);
const pauseMs = z.coerce.number().positive().parse(values['pause-ms']);

interface Arrived {
  readonly number: number;
  readonly timestamp: string;
}

const arrivedIn = new Map<string, Map<number, Arrived>>();
const eventBody = z.object({
  timestamp: z.string(),
  data: z.object({ manner: z.string(), number: z.number() }),
});

const scene = await startScene({
  onArrival: ({ body }, response) => {
    response.writeHead(204).end();
    const { timestamp, data } = eventBody.parse(body);
    const arrived = arrivedIn.get(data.manner) ?? new Map<number, Arrived>();
    arrivedIn.set(data.manner, arrived);
    // What comes twice counts as it came first.
    if (!arrived.has(data.number)) arrived.set(data.number, { number: data.number, timestamp });
  },
});

async function main(): Promise<void> {
  await scene.makeEndpoint('/ordered', { eventTypes: ['*'] });
  await publish('warm-up', { count: 100, batch: 10, everyMs: 0, isTimed: false });
  for (const isTimed of [true, false]) {
    const time = isTimed ? 'occurredAt' : 'bus time';
    await measure(`one after another, ${time}`, { count, batch: 1, everyMs: 0, isTimed });
    await measure(`ten in each call, ${time}`, { count, batch: 10, everyMs: 0, isTimed });
    await measure(`one every ${pauseMs} ms, ${time}`, {
      count: pausedCount,
      batch: 1,
      everyMs: pauseMs,
      isTimed,
    });
  }
}

interface Wish {
  readonly count: number;
  readonly batch: number;
  readonly everyMs: number;
  /** The producer says when it happened. */
  readonly isTimed: boolean;
}

/** Answers what arrived, in its order, when all has. */
async function publish(manner: string, { count, batch, everyMs, isTimed }: Wish): Promise<Arrived[]> {
  for (let first = 0; first < count; first += batch) {
    const numbers = Array.from({ length: Math.min(batch, count - first) }, (_, index) => first + index);
    await scene.publish(...numbers.map((number) => anEvent({ manner, number }, isTimed)));
    if (everyMs > 0) await pause(everyMs);
  }
  const limitMs = performance.now() + 60_000;
  while ((arrivedIn.get(manner)?.size ?? 0) < count) {
    if (performance.now() > limitMs) throw new Error(`${manner}: not all have arrived`);
    await pause(20);
  }
  return [...(arrivedIn.get(manner) ?? new Map<number, Arrived>()).values()];
}

function anEvent(data: { manner: string; number: number }, isTimed: boolean): Published {
  const occurredAt = isTimed ? { occurredAt: new Date().toISOString() } : {};
  return { type: 'pipeline.run.started', detail: { resource: 'pipeline/42', ...occurredAt, data } };
}

async function measure(manner: string, wish: Wish): Promise<void> {
  const startedMs = performance.now();
  const arrived = await publish(manner, wish);
  const perSecond = arrived.length / ((performance.now() - startedMs) / 1000);
  const pairs = arrived.slice(1).map((next, index) => ({ before: arrived[index] ?? next, next }));
  const inverted = pairs.filter(({ before, next }) => next.number < before.number);
  const shown = inverted.filter(({ before, next }) => next.timestamp < before.timestamp);
  const hidden = inverted.filter(({ before, next }) => next.timestamp === before.timestamp);
  const overtaken = overtakenIn(arrived.map(({ number }) => number));
  const displaced = arrived.map(({ number }, place) => Math.abs(place - number));
  const share = (part: number, whole: number) => `${part} (${((100 * part) / whole).toFixed(1)} %)`;
  const line = [
    manner.padEnd(34),
    `${arrived.length} events, ${perSecond.toFixed(0)}/s`,
    `neighbours out of order ${share(inverted.length, pairs.length)}`,
    `by timestamp ${shown.length} of them, equal ${hidden.length}`,
    `overtaken ${share(overtaken, arrived.length)}`,
    `furthest from its place ${Math.max(...displaced)}`,
  ];
  process.stdout.write(`${line.join('; ')}\n`);
}

/** How many came after one that was published later: what a consumer that keeps only the latest state must drop. */
function overtakenIn(numbers: readonly number[]): number {
  let latest = -1;
  let overtaken = 0;
  for (const number of numbers) {
    if (number < latest) overtaken += 1;
    latest = Math.max(latest, number);
  }
  return overtaken;
}

await main();
await scene.stop();
