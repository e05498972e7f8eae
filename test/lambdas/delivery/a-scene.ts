import type { SQSRecord } from 'aws-lambda';
import { randomUUID } from 'node:crypto';
import type { DeliverPorts } from '../../../lambdas/delivery/deliver.ts';
import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import { outgoing } from '../../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { prepare } from '../../../lambdas/request/prepare.ts';
import { receiveBatch } from '../../../lambdas/delivery/receive.ts';
import { deliveryRoutes } from '../../../lambdas/delivery/routes.ts';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { defaultTargetRules } from '../../../lambdas/endpoint/target.ts';
import type { OperatorEntry } from '../../../lambdas/event/operator-event.ts';
import type { StoredEvent } from '../../../lambdas/event/event.ts';
import type { Organization } from '../../../lambdas/organization/organization.ts';
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

export type PortName =
  | 'readRecipient'
  | 'readKnown'
  | 'readHealth'
  | 'replaceHealth'
  | 'reserve'
  | 'prepare'
  | 'post'
  | 'record'
  | 'announce'
  | 'send';

/**
 * What happens to one call of a port. `crash`: the function dies there and nothing after it happens. `fault`: the
 * port throws and the function lives. Each of them either before the port has done its work or after it. `twice`:
 * the answer is lost on its way, and the SDK makes the same call again.
 */
export const fates = ['crash before', 'crash after', 'fault before', 'fault after', 'twice'] as const;

export type Fate = (typeof fates)[number];

export interface Call {
  readonly port: PortName;
  /** Counted over the whole scene, from 0. */
  readonly index: number;
}

export type FateOf = (call: Call) => Fate | undefined;

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
 * The delivery engine between fakes: one organization, endpoint and event, and one queue that plays `deliveries` and
 * `retries`. The receiver answers 200 unless told otherwise.
 */
export async function aScene(wish: SceneWish = {}) {
  const { organization = anOrganization(), endpoint = anEndpoint(), event = anEvent() } = wish;
  const world = aWorld(wish.tookMs);
  const { clock } = world;
  world.configuration.setOrganization(organization);
  world.configuration.set(endpoint);
  world.secrets.keepFor(endpoint);
  await world.ledger.events.add(event);
  world.receiver.always(200);

  const settings: { fateOf: FateOf; remainingMs: number } = {
    fateOf: wish.fateOf ?? (() => undefined),
    remainingMs: wish.remainingMs ?? 45_000,
  };
  const calls: Call[] = [];
  const random = seededChance(wish.seed);
  const invoke = async (records: readonly SQSRecord[]): Promise<void> => {
    const life = { isOver: false };
    const ports = mortal(portsOf(world, random), { life, calls, fateOf: (call) => settings.fateOf(call) });
    const { release } = world.queue;
    const answer = await receiveBatch({ ...ports, release }, records, () => settings.remainingMs);
    // A function that has died answers nothing: its messages come back when their visibility ends.
    if (life.isOver) return;
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const record of records) if (!failed.has(record.messageId)) world.queue.delete(record);
  };
  const sendMessage = (message: DeliveryMessage, delaySeconds = 0): Promise<void> =>
    world.queue.send(outgoing(message, delaySeconds));

  return {
    ...world,
    /** What may be changed in the middle. */
    settings,
    calls,
    sendMessage,
    /** Sends the message for the first attempt, as routing does. */
    start: () => sendMessage(aMessage()),
    invoke,
    /** Moves on to the next message that becomes visible, and works on it alone; false when there is none. */
    step: async (): Promise<boolean> => {
      const nextAtMs = world.queue.nextAtMs();
      if (nextAtMs === undefined) return false;
      clock.passTo(nextAtMs);
      await invoke(world.queue.receive(1));
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

/** Works until no message is left but in the dead-letter queue. A delivery that finds no end is an error. */
export async function settle(scene: Pick<Scene, 'step'>, stepsMax = 3_000): Promise<void> {
  for (let steps = 0; await scene.step(); steps += 1) {
    if (steps > stepsMax) throw new Error('the messages go round and round');
  }
}

/** Messages that lie in the dead-letter queue, read. */
export function deadLetters({ queue }: Pick<Scene, 'queue'>): DeliveryMessage[] {
  return queue.dead.map(({ body }) => JSON.parse(body) as DeliveryMessage);
}

type World = ReturnType<typeof aWorld>;

function aWorld(tookMs?: number) {
  const clock = aClock();
  return {
    clock,
    ledger: memoryLedger(clock.now),
    configuration: memoryConfiguration(),
    health: memoryHealth(clock.now),
    announced: [] as OperatorEntry[],
    queue: memoryQueue({ now: clock.now }),
    receiver: scriptedReceiver(clock, tookMs),
    secrets: memorySecrets(),
    signingKeys: memorySigningKeys(),
    journal: memoryLog(),
  };
}

function portsOf(world: World, random: () => number): DeliverPorts {
  const { clock, ledger, configuration, health, queue, receiver, secrets, signingKeys, journal } = world;
  return {
    readRecipient: configuration.readRecipient,
    readKnown: ledger.readKnown,
    record: ledger.record,
    health,
    reserve: health.reserve,
    announce: (entry) => {
      world.announced.push(entry);
      return Promise.resolve();
    },
    send: (message, delaySeconds) => queue.send(outgoing(message, delaySeconds)),
    prepare: (endpoint, unsigned) =>
      prepare({ ...signingKeys, readSecret: secrets.readSecret, now: clock.now }, endpoint, unsigned),
    post: receiver.post,
    targetRules: defaultTargetRules,
    retentionDays: 30,
    now: clock.now,
    random,
    newId: randomUUID,
    log: journal.log,
  };
}

class Crash extends Error {
  override readonly name = 'Crash';
}

class Fault extends Error {
  override readonly name = 'ThrottlingException';
}

interface Dooms {
  readonly life: { isOver: boolean };
  readonly calls: Call[];
  readonly fateOf: FateOf;
}

/** The ports of one invocation, which may die at any of them; the dead can call nothing more. */
function mortal(ports: DeliverPorts, { life, calls, fateOf }: Dooms): DeliverPorts {
  const meet = (fate: Fate) => {
    life.isOver ||= fate.startsWith('crash');
    throw life.isOver ? new Crash() : new Fault();
  };
  const doomed =
    <Args extends unknown[], Value>(port: PortName, call: (...args: Args) => Promise<Value>) =>
    async (...args: Args): Promise<Value> => {
      if (life.isOver) throw new Crash();
      const made = { port, index: calls.length };
      calls.push(made);
      const fate = fateOf(made);
      if (fate?.endsWith('before')) meet(fate);
      let value = await call(...args);
      if (fate === 'twice') value = await call(...args);
      if (fate?.endsWith('after')) meet(fate);
      return value;
    };
  return {
    ...ports,
    readRecipient: doomed('readRecipient', ports.readRecipient),
    readKnown: doomed('readKnown', ports.readKnown),
    prepare: doomed('prepare', ports.prepare),
    post: doomed('post', ports.post),
    record: doomed('record', ports.record),
    health: {
      read: doomed('readHealth', ports.health.read),
      readLatest: doomed('readHealth', ports.health.readLatest),
      replace: doomed('replaceHealth', ports.health.replace),
    },
    reserve: doomed('reserve', ports.reserve),
    announce: doomed('announce', ports.announce),
    send: doomed('send', ports.send),
  };
}

/** `POST …/deliveries/{evt}/retry`, through the API's own route. */
async function retryByHand(
  { configuration, health, ledger }: World,
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
