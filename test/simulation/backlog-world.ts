import { randomUUID } from 'node:crypto';
import type { DeliverPorts } from '../../lambdas/delivery/deliver.ts';
import { firstMessage, outgoing } from '../../lambdas/delivery/message.ts';
import { prepare } from '../../lambdas/request/prepare.ts';
import { receiveBatch } from '../../lambdas/delivery/receive.ts';
import { pace } from '../../lambdas/endpoint/health/pace.ts';
import { remembered } from '../../lambdas/endpoint/health/remembered.ts';
import { defaultTargetRules } from '../../lambdas/endpoint/target.ts';
import type { Outgoing } from '../../lambdas/shared/queue.ts';
import { recordOf } from '../../local/aws/event-source-invoke.ts';
import { aSetting } from '../../local/aws/setting.ts';
import { Queue } from '../../local/aws/sqs-queue.ts';
import { anEndpoint } from '../fakes/an-endpoint.ts';
import { anEvent } from '../fakes/an-event.ts';
import { anOrganization } from '../fakes/an-organization.ts';
import { seededChance } from '../fakes/chance.ts';
import { aClock } from '../fakes/clock.ts';
import { memoryConfiguration } from '../fakes/configuration.ts';
import { memoryHealth } from '../fakes/health.ts';
import { memoryLedger } from '../fakes/ledger.ts';
import { memorySecrets } from '../fakes/secrets.ts';
import { memorySigningKeys } from '../fakes/signing-keys.ts';

export interface BacklogWish {
  /** Deliveries that wait for the dead endpoint. */
  readonly count: number;
  /** Its `rateLimitPerSecond`. */
  readonly limit: number | null;
}

export interface BacklogReport {
  readonly deliveries: number;
  readonly lost: number;
  /** Attempts while it was dead. */
  readonly attemptsWhileDead: number;
  /** Messages taken from a queue and not yet done with, at most. */
  readonly inFlightMost: number;
  readonly drainedWithinSeconds: number;
  /** Of what its pace allows over ten seconds, the most that it got. */
  readonly ofItsPaceMost: number;
  readonly attemptsPerSecondMost: number;
  /** From the sending to the request, 99 of 100 deliveries to the other endpoint. */
  readonly othersWaitMsP99: number;
  readonly hopsPerDelivery: number;
}

const deadMs = 2 * 3_600_000;
const fillMs = 1_800_000;
const dead = 'dead';

/** One dead endpoint with a backlog, and one that goes on with two deliveries a second. */
export async function runBacklog({ count, limit }: BacklogWish): Promise<BacklogReport> {
  const world = await aWorld(limit);
  const { clock, startMs } = world;
  const events = { [dead]: 0, live: 0 };
  const isDrained = () => clock.now() > startMs + deadMs && world.delivered.size >= count + events.live;
  while (!isDrained()) {
    if (clock.now() > startMs + deadMs + 86_400_000) break;
    const due = Math.min(count, Math.ceil((count * (clock.now() - startMs)) / fillMs));
    while (events[dead] < due) await world.send(dead, (events[dead] += 1));
    if (clock.now() < startMs + deadMs + 600_000)
      for (let each = 0; each < 2; each += 1) await world.send('live', (events.live += 1));
    await world.work();
    clock.pass(1_000);
  }
  return reportOf(world, { count, limit, live: events.live });
}

type World = Awaited<ReturnType<typeof aWorld>>;

async function aWorld(limit: number | null) {
  const clock = aClock();
  const startMs = clock.now();
  const random = seededChance(7);
  // Polled every second of virtual time, so that none of its timers is ever needed.
  const setting = aSetting({ clock: { now: clock.now, after: () => () => undefined }, random });
  const [deliveries, retries] = await Promise.all(
    ['deliveries', 'retries'].map((name) => aQueue(setting, name)),
  );
  if (deliveries === undefined || retries === undefined) throw new Error('there are two queues');
  const ledger = memoryLedger(clock.now);
  const configuration = memoryConfiguration();
  const secrets = memorySecrets();
  configuration.setOrganization(anOrganization());
  const endpoints = {
    [dead]: anEndpoint({ name: dead, policy: { rateLimitPerSecond: limit } }),
    live: anEndpoint({ name: 'live' }),
  };
  for (const endpoint of Object.values(endpoints)) {
    configuration.set(endpoint);
    secrets.keepFor(endpoint);
  }
  const tally = {
    hops: 0,
    inFlightMost: 0,
    attemptsWhileDead: 0,
    waitsMs: [] as number[],
    afterMs: [] as number[],
  };
  const delivered = new Set<string>();
  const sentAtMs = new Map<string, number>();
  const store = memoryHealth(clock.now);
  const isBack = () => clock.now() >= startMs + deadMs;
  const to = (queue: Queue) => async (message: Outgoing) => {
    await queue.send(message);
  };
  const ports: DeliverPorts = {
    readRecipient: configuration.readRecipient,
    readKnown: ledger.readKnown,
    record: ledger.record,
    health: remembered(store, { now: clock.now }),
    reserve: store.reserve,
    announce: () => Promise.resolve(),
    send: (message, delaySeconds) => {
      tally.hops += 1;
      return to(retries)(outgoing(message, delaySeconds));
    },
    prepare: (endpoint, unsigned) =>
      prepare({ ...memorySigningKeys(), readSecret: secrets.readSecret, now: clock.now }, endpoint, unsigned),
    post: ({ url, headers }) => {
      const id = headers['webhook-id'] ?? '';
      const isDead = url === endpoints[dead].url;
      if (isDead && isBack()) tally.afterMs.push(clock.now());
      if (isDead && !isBack()) {
        tally.attemptsWhileDead += 1;
        return Promise.resolve({
          answer: { kind: 'failure', code: 'connection_refused' },
          durationMs: 5,
          phases: [],
        });
      }
      if (!isDead) tally.waitsMs.push(clock.now() - (sentAtMs.get(id) ?? 0));
      delivered.add(id);
      return Promise.resolve({ answer: { kind: 'response', status: 200 }, durationMs: 5, phases: [] });
    },
    targetRules: defaultTargetRules,
    retentionDays: 30,
    now: clock.now,
    random,
    newId: randomUUID,
    log: () => undefined,
  };
  const work = async (): Promise<void> => {
    for (const queue of [deliveries, retries]) await drain(queue, ports, tally);
  };
  const send = async (name: keyof typeof endpoints, number: number): Promise<void> => {
    const event = anEvent({
      name: `${name} ${number}`,
      timeMs: clock.now(),
      endpoints: [endpoints[name].id],
    });
    sentAtMs.set(event.id, clock.now());
    await ledger.events.add(event);
    const ids = { organizationId: 'org_1', endpointId: endpoints[name].id, eventId: event.id };
    await deliveries.send(outgoing(firstMessage({ ...ids, eventType: event.type }), 0));
  };
  return { clock, startMs, tally, delivered, send, work };
}

function aQueue(setting: ReturnType<typeof aSetting>, name: string): Promise<Queue> {
  const kept = { visibilityTimeoutSeconds: 270, messageRetentionSeconds: 1_209_600, delaySeconds: 0 };
  return Queue.open({ setting, definition: { name, ...kept } });
}

/** Works on all that is visible, batch by batch. */
async function drain(queue: Queue, ports: DeliverPorts, tally: World['tally']): Promise<void> {
  for (;;) {
    const batch = await queue.receive({ max: 10 });
    if (batch.length === 0) return;
    tally.inFlightMost = Math.max(tally.inFlightMost, queue.counts().inFlight);
    const records = batch.map((one) => recordOf(one, { arn: queue.arn, region: 'us-east-1' }));
    const release = () => Promise.reject(new Error('nothing dies here'));
    const { batchItemFailures } = await receiveBatch({ ...ports, release }, records, () => 45_000);
    if (batchItemFailures.length > 0) throw new Error('nothing fails here');
    for (const { receiptHandle } of batch) await queue.delete(receiptHandle);
  }
}

function reportOf(
  { clock, startMs, tally, delivered }: World,
  { count, limit, live }: BacklogWish & { live: number },
): BacklogReport {
  const { afterMs, waitsMs } = tally;
  const backMs = afterMs[0] ?? startMs;
  const perSecond = Map.groupBy(afterMs, (atMs) => Math.floor((atMs - backMs) / 1_000));
  const counts = Array.from(
    { length: Math.max(...perSecond.keys()) + 1 },
    (_, second) => perSecond.get(second)?.length ?? 0,
  );
  const health = {
    version: 1,
    failures: 0,
    warned: 0,
    unsaid: [],
    backSince: new Date(backMs).toISOString(),
  };
  const share = counts.map((_, second) => {
    const seen = counts.slice(second, second + 10).reduce((sum, one) => sum + one, 0);
    const allowed = pace({ rateLimitPerSecond: limit }, health, backMs + (second + 10) * 1_000) ?? Infinity;
    // Ten seconds, and what decision 9 allows beyond them.
    return seen / (allowed * 14);
  });
  const sorted = waitsMs.toSorted((a, b) => a - b);
  return {
    deliveries: count,
    lost: count + live - delivered.size,
    attemptsWhileDead: tally.attemptsWhileDead,
    inFlightMost: tally.inFlightMost,
    drainedWithinSeconds: Math.round((clock.now() - backMs) / 1_000),
    ofItsPaceMost: Number(Math.max(...share).toFixed(2)),
    attemptsPerSecondMost: Math.max(...counts),
    othersWaitMsP99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    hopsPerDelivery: Number((tally.hops / count).toFixed(1)),
  };
}
