import type { SQSRecord } from 'aws-lambda';
import type { DeliverPorts } from '../../../lambdas/delivery/deliver.ts';
import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import { outgoing } from '../../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { receiveBatch } from '../../../lambdas/delivery/receive.ts';
import { deliveryRoutes } from '../../../lambdas/delivery/routes.ts';
import { makeShare } from '../../../lambdas/delivery/share.ts';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { outgoingDrain } from '../../../lambdas/endpoint/health/drain-message.ts';
import type { StartDrain } from '../../../lambdas/endpoint/health/say.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';
import type { StoredEvent } from '../../../lambdas/event/event.ts';
import type { OperatorEntry } from '../../../lambdas/event/operator-event.ts';
import type { Organization } from '../../../lambdas/organization/organization.ts';
import { drain } from '../../../lambdas/recovery/drain/drain.ts';
import type { DrainPorts } from '../../../lambdas/recovery/drain/drain.ts';
import { makeRoundsStore } from '../../../lambdas/recovery/wake/store.ts';
import { wake } from '../../../lambdas/recovery/wake/wake.ts';
import { readWork } from '../../../lambdas/recovery/work.ts';
import { prepare } from '../../../lambdas/request/prepare.ts';
import { timeOfPlace, duePartitions } from '../../../lambdas/shared/waiting.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { seededChance } from '../../fakes/chance.ts';
import { aClock } from '../../fakes/clock.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { memoryHealth } from '../../fakes/health.ts';
import { memoryLedger } from '../../fakes/ledger.ts';
import { memoryLog } from '../../fakes/log.ts';
import { memoryQueue } from '../../fakes/queue.ts';
import { scriptedReceiver } from '../../fakes/receiver.ts';
import { memorySecrets } from '../../fakes/secrets.ts';
import { memorySigningKeys } from '../../fakes/signing-keys.ts';
import { isDoom, mortal } from './mortal.ts';
import type { Call, FateOf } from './mortal.ts';

export interface SceneWish {
  readonly organization?: Organization;
  readonly endpoint?: Endpoint;
  readonly event?: StoredEvent;
  /** What befalls calls of ports; nothing, if left out. */
  readonly fateOf?: FateOf;
  readonly remainingMs?: number;
  readonly seed?: number;
  /** How long the receiver takes for an answer. */
  readonly tookMs?: number;
}

export type Scene = Awaited<ReturnType<typeof aScene>>;

/**
 * The delivery engine between fakes: one organization, endpoint and event; one queue that plays `deliveries` and
 * `retries`, one that plays `falling`, one for drains; and somebody who comes every minute. The receiver answers 200
 * unless told otherwise.
 */
export async function aScene(wish: SceneWish = {}) {
  const { organization = anOrganization(), endpoint = anEndpoint(), event = anEvent() } = wish;
  const world = aWorld(wish);
  const { clock, queue, falling } = world;
  world.configuration.setOrganization(organization);
  world.configuration.set(endpoint);
  world.secrets.keepFor(endpoint);
  await world.ledger.events.add(event);
  world.receiver.always(200);
  const sendMessage = (message: DeliveryMessage, delaySeconds = 0): Promise<void> =>
    queue.send(outgoing(message, delaySeconds));
  const invoke = (records: readonly SQSRecord[]) => world.invoke(records);

  return {
    ...world,
    sendMessage,
    /** Sends the message for the first attempt, as routing does. */
    start: () => sendMessage(aMessage()),
    invoke,
    /** When whatever comes next comes; nothing at the end. */
    nextAtMs: async (): Promise<number | undefined> => (await nextOf(world))?.atMs,
    /** Moves on to whatever comes next: a message, or more at once, a drain, whoever comes every minute; false at the end. */
    step: async (messagesMax = 1): Promise<boolean> => {
      const next = await nextOf(world);
      if (next === undefined) return false;
      clock.passTo(next.atMs);
      if (next.what === 'message') await invoke(queue.receive(messagesMax));
      if (next.what === 'falling') await invoke(falling.receive(1));
      if (next.what === 'drain') await world.runDrain();
      if (next.what === 'wake') await world.runWake();
      return true;
    },
    delivery: async (): Promise<Delivery> => {
      const found = await world.ledger.deliveries.get(endpoint.id, event.id);
      if (found === undefined) throw new Error('the ledger has no delivery');
      return found;
    },
    retryByHand: () => retryByHand(world, sendMessage, { endpoint, event }),
  };
}

/** Works until nothing is left but in the dead-letter queue. A delivery that finds no end is an error. */
export async function settle(scene: Pick<Scene, 'step'>, stepsMax = 5_000): Promise<void> {
  for (let steps = 0; await scene.step(); steps += 1) {
    if (steps > stepsMax) throw new Error('the messages go round and round');
  }
}

/** A delivery that has died of two answers 500, its letter in the dead-letter queue. */
export async function aDeadScene(): Promise<Scene> {
  const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 2 } } }) });
  scene.receiver.always(500);
  await scene.start();
  await settle(scene);
  return scene;
}

/** Messages that lie in the dead-letter queue, read. */
export function deadLetters({ falling }: Pick<Scene, 'falling'>): DeliveryMessage[] {
  return falling.dead.map(({ body }) => JSON.parse(body) as DeliveryMessage);
}

type Things = ReturnType<typeof someThings>;
type World = ReturnType<typeof aWorld>;

const minuteMs = 60_000;

/** What comes next, and when; nothing when nothing waits any more. */
async function nextOf(world: World) {
  const { clock, queue, falling, drains } = world;
  const others = [
    { what: 'falling' as const, atMs: falling.nextAtMs() },
    { what: 'message' as const, atMs: queue.nextAtMs() },
    { what: 'drain' as const, atMs: drains.nextAtMs() },
  ];
  const next = others
    .flatMap(({ what, atMs }) => (atMs === undefined ? [] : [{ what, atMs }]))
    .toSorted((a, b) => a.atMs - b.atMs)[0];
  // Whoever comes every minute cannot come before the next one begins: no need to look for whom.
  if (next !== undefined && next.atMs <= Math.ceil((clock.now() + 1) / minuteMs) * minuteMs) return next;
  const wakeMs = await nextWakeMs(world);
  if (wakeMs === undefined || (next !== undefined && next.atMs <= wakeMs)) return next;
  return { what: 'wake' as const, atMs: wakeMs };
}

/** When whoever comes every minute finds something; nothing when there is nothing to find. */
async function nextWakeMs({ clock, ledger, woken }: World): Promise<number | undefined> {
  const rows = await Promise.all(
    duePartitions.map((partition) =>
      ledger.waiting.list({ partition, after: woken.through[partition], through: '~' }, 1),
    ),
  );
  const dueMs = rows.flatMap((page) => page.rows).map((row) => timeOfPlace(row));
  // Whoever comes every minute looks a minute ahead.
  const lookMs = Math.max(clock.now() + 1, Math.min(...dueMs) - minuteMs);
  return Number.isFinite(lookMs) ? Math.ceil(lookMs / minuteMs) * minuteMs : undefined;
}

/** What may be changed in the middle. */
interface Settings {
  fateOf: FateOf;
  remainingMs: number;
  /** The ports of one step of a drain. */
  drainPortsOf: (ports: DrainPorts) => DrainPorts;
}

function someThings(wish: SceneWish) {
  const clock = aClock();
  const ledger = memoryLedger(clock.now);
  const settings: Settings = {
    fateOf: wish.fateOf ?? (() => undefined),
    remainingMs: wish.remainingMs ?? 60_000,
    drainPortsOf: (ports) => ports,
  };
  const woken: { through: Readonly<Record<string, string>> } = { through: {} };
  return {
    ...{ clock, ledger },
    configuration: memoryConfiguration(),
    health: memoryHealth(clock.now, ledger.tables),
    announced: [] as OperatorEntry[],
    queue: memoryQueue({ now: clock.now, maxReceiveCount: 50 }),
    falling: memoryQueue({ now: clock.now, maxReceiveCount: 3, queueName: 'falling' }),
    drains: memoryQueue({ now: clock.now, maxReceiveCount: 20 }),
    receiver: scriptedReceiver(clock, wish.tookMs),
    secrets: memorySecrets(),
    signingKeys: memorySigningKeys(),
    journal: memoryLog(),
    settings,
    calls: [] as Call[],
    /** How far whoever comes every minute has come. */
    woken,
    share: makeShare(clock.now),
  };
}

function aWorld(wish: SceneWish) {
  const things = someThings(wish);
  const ports = portsOf(things, seededChance(wish.seed));
  const drainPorts = drainPortsOf(things, ports);
  return {
    ...things,
    /** What a function works with that nothing befalls. */
    ports,
    drainPorts,
    runDrain: () => runDrain(things, drainPorts),
    runWake: () => runWake(things, ports),
    invoke: (records: readonly SQSRecord[]) => invokeDeliver(things, ports, records),
  };
}

/** Has a function work on messages; one that dies gives no answer, and they come back after their visibility. */
async function invokeDeliver(
  { settings, calls, queue, falling }: Things,
  ports: DeliverPorts,
  records: readonly SQSRecord[],
): Promise<void> {
  const life = { isOver: false };
  const mortals = mortal(ports, { life, calls, fateOf: (call) => settings.fateOf(call) });
  const release = async (released: readonly SQSRecord[]) => {
    for (const of of [queue, falling]) await of.release(released.filter((record) => of.holds(record)));
  };
  const answer = await receiveBatch({ ...mortals, release }, records, () => settings.remainingMs);
  if (life.isOver) return;
  const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  for (const record of records.filter(({ messageId }) => !failed.has(messageId)))
    for (const of of [queue, falling]) if (of.holds(record)) of.delete(record);
}

function portsOf(world: Things, random: () => number): DeliverPorts {
  const { clock, ledger, configuration, health, queue, falling, receiver, secrets, signingKeys } = world;
  let ids = 0;
  return {
    readRecipient: configuration.readRecipient,
    readRecipientLatest: configuration.readRecipient,
    versions: configuration.versions,
    readKnown: ledger.readKnown,
    record: ledger.record,
    rewrite: ledger.rewrite,
    strikeOff: ledger.strikeOff,
    health,
    take: health.take,
    hang: health.hang,
    share: world.share,
    announce: (entry) => {
      world.announced.push(entry);
      return Promise.resolve();
    },
    send: (message, delaySeconds) => queue.send(outgoing(message, delaySeconds)),
    bury: (message) => falling.send(outgoing(message, 0)),
    startDrain: startDrainOf(world),
    prepare: (endpoint, unsigned) =>
      prepare({ ...signingKeys, readSecret: secrets.readSecret, now: clock.now }, endpoint, unsigned),
    post: receiver.post,
    newId: () => `request-${(ids += 1)}`,
    targetRules: defaultTargetRules,
    retentionDays: 30,
    now: clock.now,
    random,
    log: world.journal.log,
  };
}

function startDrainOf({ drains }: Things): StartDrain {
  return (owner, turn, delaySeconds) => drains.send(outgoingDrain(owner, turn, delaySeconds));
}

function drainPortsOf({ ledger, health }: Things, ports: DeliverPorts): DrainPorts {
  const { readRecipientLatest, announce, startDrain, send, now, log } = ports;
  return { readRecipientLatest, announce, startDrain, send, now, log, health, waiting: ledger.waiting };
}

/** Has functions work on what asks for drains; one that fails or dies leaves its message to come back. */
async function runDrain({ drains, settings }: Things, ports: DrainPorts): Promise<void> {
  for (const record of drains.receive(10)) {
    const work = readWork(record.body);
    if (work === undefined || !('endpointId' in work)) throw new Error('no drain');
    try {
      const owner = { id: work.endpointId, organizationId: work.organizationId };
      await drain(settings.drainPortsOf(ports), owner, work.turn);
      drains.delete(record);
    } catch (fault) {
      if (!isDoom(fault)) throw fault;
    }
  }
}

async function runWake(world: Things, { send, now, log }: DeliverPorts): Promise<void> {
  const { ledger, drains } = world;
  const rounds = makeRoundsStore(ledger.tables.client, ledger.tables.ledger);
  await wake({
    ...{ rounds, waiting: ledger.waiting, send, now, log, remainingMs: () => 60_000 },
    startDrain: (owner, delaySeconds) => drains.send(outgoingDrain(owner, undefined, delaySeconds)),
  });
  world.woken.through = (await rounds.read()).through;
}

/** `POST …/deliveries/{evt}/retry`, through the API's own route. */
async function retryByHand(
  { configuration, health, ledger }: Things,
  send: (message: DeliveryMessage) => Promise<void>,
  { endpoint, event }: { endpoint: Endpoint; event: StoredEvent },
): Promise<void> {
  const routes = deliveryRoutes({
    getEndpoint: configuration.endpoints.get,
    readHealth: health.readLatest,
    getEvent: ledger.events.get,
    deliveries: ledger.deliveries,
    send,
  });
  const retry = routes.find(({ operationId }) => operationId === 'retryDelivery');
  if (retry === undefined) throw new Error('the API has no retry');
  await retry.run({
    params: { organizationId: event.organizationId, endpointId: endpoint.id, eventId: event.id },
    query: {},
    body: undefined,
    caller: { subject: 'somebody', organizationId: event.organizationId, scopes: new Set() },
  });
}
