import { parseArgs } from 'node:util';
import { catalogueOf } from '../../lambdas/event/catalogue.ts';
import { eventType } from '../../lambdas/event/event-type.ts';
import { well } from '../../lambdas/endpoint/health/health.ts';
import { routeEvent } from '../../lambdas/routing/route-event.ts';
import { makeTellNotJudged } from '../../lambdas/routing/tell-not-judged.ts';
import { cached } from '../../lambdas/shared/cache.ts';
import { anEndpoint } from '../fakes/an-endpoint.ts';
import { anOrganization } from '../fakes/an-organization.ts';
import { heapBytes } from '../fakes/heap.ts';

/**
 * `npm run soak:schemas`: publishes events of ten types with schemas through the real routing, whose catalogue is read
 * anew all the time. Ends with 1 when memory grows by more than a tenth, or when an event would be received again.
 */
const { values: asked } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    /** After how many the catalogue is read again; one at a time is the worst there can be. */
    reads: { type: 'string', default: '1' },
    /** Stops then, with what has been done: for CI. */
    seconds: { type: 'string', default: '3600' },
  },
});
const [events, perRead, seconds] = [Number(asked.events), Number(asked.reads), Number(asked.seconds)];

const field = (index: number): object =>
  index % 4 === 0
    ? { type: 'string', pattern: `^x${String(index)}([a-z]+)*$`, maxLength: 64 }
    : { type: 'object', properties: { n: { enum: ['a', 'b', index] }, m: { uniqueItems: true } } };
const names = Array.from({ length: 10 }, (_, index) => `billing.invoice.paid${String(index)}`);
const text = JSON.stringify(
  names.map((name, type) => ({
    ...{ name, category: 'governance', description: 'x', isBuiltIn: false },
    // The last one is of those that are refused today: what it does not judge is delivered all the same.
    schema:
      type === 9
        ? { $ref: '#' }
        : {
            title: name,
            type: 'object',
            properties: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`a${String(n)}`, field(n)])),
          },
  })),
);

let nowMs = Date.UTC(2026, 10, 27);
const done = { sent: 0, stored: 0, notJudged: 0, broken: 0, announced: 0 };
const now = () => nowMs;
const log = () => undefined;
const ports: Parameters<typeof routeEvent>[0] = {
  lookUpSubscribers: () => Promise.resolve({ organization: anOrganization(), endpoints: [anEndpoint()] }),
  readHealth: () => Promise.resolve(well),
  readCatalogue: cached(
    () => Promise.resolve(catalogueOf(eventType.array().parse(JSON.parse(text)))),
    () => true,
    { now },
  ),
  versions: { seen: () => Promise.resolve(0), latest: () => Promise.resolve(0), told: () => undefined },
  announce: () => Promise.resolve(),
  add: (event) => {
    done.stored += 1;
    if (event.schemaNotJudged !== undefined) done.notJudged += 1;
    if (event.schemaViolation !== undefined) done.broken += 1;
    return Promise.resolve(undefined);
  },
  send: () => Promise.resolve(void (done.sent += 1)),
  clock: { now, retentionDays: 30 },
  schemas: 'warn',
  tellNotJudged: makeTellNotJudged({
    announce: () => Promise.resolve(void (done.announced += 1)),
    ...{ now, log },
  }),
  log,
};

/** What an event of each type says: as its schema says, or not, or what a careless pattern would never end with. */
function dataOf(index: number): object {
  const letters = 'a'.repeat(index % 50);
  if (index % 3 === 0) return { a0: `x0${letters}`, a1: { n: 'a', m: [{ index }, {}] } };
  return index % 3 === 1 ? { a4: `x4${letters}!` } : { a1: { n: 'c' } };
}

async function publish(index: number): Promise<void> {
  const event = {
    id: `b${String(index)}`,
    'detail-type': names[index % names.length],
    source: 'soak',
    time: new Date(nowMs).toISOString(),
    detail: { organizationId: 'org_1', data: dataOf(index) },
  };
  const receipt = { receivedAtMs: nowMs, messageId: `m${String(index)}`, sinceMs: 0 };
  await routeEvent(ports, JSON.stringify(event), receipt);
}

const sampleEvery = seconds < 60 ? 250 : Math.max(500, Math.floor(events / 20));
const startedMs = performance.now();
const heaps: number[] = [];
let published = 0;
// Whatever is thrown would be received again: it ends the run.
while (published < events && performance.now() - startedMs < seconds * 1_000) {
  await publish(published);
  published += 1;
  if (published % perRead === 0) nowMs += 30_001;
  // The first once all is compiled, and caches have what they hold.
  if (published % sampleEvery === 0) heaps.push(heapBytes());
}
heaps.push(heapBytes());
const [first = 0] = heaps;
const most = Math.max(...heaps);
const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
say(
  `${String(published)} events in ${((performance.now() - startedMs) / 1_000).toFixed(0)} s: ${JSON.stringify(done)}`,
);
say(`heap, MiB: ${heaps.map(megabytes).join(' ')}`);
const isFlat = most <= first * 1.1;
const isOnce = done.stored === published && done.sent === published;
say(
  isFlat ? 'memory is flat within 10 %' : `memory has grown from ${megabytes(first)} to ${megabytes(most)}`,
);
say(isOnce ? 'no event was received twice' : 'events would have been received again');
process.exitCode = isFlat && isOnce ? 0 : 1;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
