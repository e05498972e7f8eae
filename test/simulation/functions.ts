import { readMessage } from '../../lambdas/delivery/message.ts';
import { receiveBatch } from '../../lambdas/delivery/receive.ts';
import { receive as receiveJob } from '../../lambdas/recovery/receive.ts';
import { receive as receiveEvent } from '../../lambdas/routing/receive.ts';
import { workThroughBatch } from '../../lambdas/shared/batch.ts';
import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { recordOf } from '../../local/aws/event-source-invoke.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import type { Received } from '../../local/aws/sqs-received.ts';
import type { Reference } from './book.ts';
import { suspendable } from './life.ts';
import type { Life } from './life.ts';
import { deliverPorts, recoverPorts, routePorts } from './ports.ts';
import { short } from './names.ts';
import { parsed, referenceIn } from './references.ts';
import { isFaultless, isSwift } from './weather.ts';
import type { World } from './world.ts';

type Work = (records: readonly SQSRecord[], remainingMs: () => number) => Promise<SQSBatchResponse>;

interface Instance {
  readonly life: Life;
  readonly work: Work;
  isBusy: boolean;
}

/** A function with its event source mappings. */
export interface SimulatedFunction {
  readonly name: string;
  readonly queues: readonly SimulatedQueue[];
  readonly timeoutMs: number;
  readonly instances: Set<Instance>;
  /** Batches that are worked on, or on their way to it. */
  running: number;
  readonly runningMax: number;
  readonly make: (world: World, life: Life) => Work;
}

export interface SimulatedQueue {
  readonly queue: Queue;
  /** Nobody looks at it until then. */
  aloneUntilMs: number;
}

/** More than there is ever work for. */
const enough = 100;

/** As lib/ has them, but that few run at a time. */
export function simulatedFunctions({ queues, chance, weather }: World): SimulatedFunction[] {
  const served = (queue: Queue): SimulatedQueue => ({ queue, aloneUntilMs: 0 });
  const most = () => (weather.isPunctual ? enough : chance.between(1, 4));
  const common = () => ({ instances: new Set<Instance>(), running: 0, runningMax: most() });
  return [
    {
      name: 'route',
      queues: [served(queues.events), served(queues.eventsFalling)],
      ...{ timeoutMs: 30_000, make: makeRoute, ...common() },
    },
    {
      name: 'deliver',
      queues: [served(queues.deliveries), served(queues.retries), served(queues.falling)],
      ...{ timeoutMs: 60_000, make: makeDeliver, ...common() },
    },
    { name: 'recover', queues: [served(queues.recovery)], timeoutMs: 60_000, make: makeRecover, ...common() },
  ];
}

function makeRoute(world: World, life: Life): Work {
  const ports = routePorts(world, life);
  return (records) => workThroughBatch(ports, records, (record) => receiveEvent(ports, record));
}

function makeDeliver(world: World, life: Life): Work {
  const ports = deliverPorts(world, life);
  const handed = world.plant?.record ?? ((record: SQSRecord) => record);
  return (records, remainingMs) => receiveBatch(ports, records.map(handed), remainingMs);
}

function makeRecover(world: World, life: Life): Work {
  const ports = recoverPorts(world, life);
  return (records, remainingMs) =>
    workThroughBatch(ports, records, (record) => receiveJob(ports, record, remainingMs));
}

/** Lets an event source take a batch, and a function work on it. */
export async function serve(world: World, served: SimulatedQueue, fn: SimulatedFunction): Promise<void> {
  const { chance, weather, time, book } = world;
  const isRough = time.now() < weather.calmAtMs;
  if (isRough && chance.isLucky(weather.stall)) {
    const ms = chance.between(1_000, 120_000);
    served.aloneUntilMs = time.now() + ms;
    time.after(ms, () => undefined);
    return;
  }
  fn.running += 1;
  const received = await served.queue.receive({ max: chance.between(1, 10) });
  const isUnserved = isRough && chance.isLucky(weather.unserved);
  const batch = received.map((one): Taken => ({ ...one, about: aboutOf(world, one) }));
  for (const { about, receiveCount, message } of batch) {
    if (about === undefined) continue;
    if (receiveCount > 1 || isUnserved) book.disturb(about);
    const { endpointId, eventId } = about;
    if (endpointId !== undefined) book.dossier(endpointId, eventId).messages.delete(message.id);
  }
  if (batch.length === 0 || isUnserved) fn.running -= 1;
  else await invoke(world, { fn, queue: served.queue, batch });
}

/** A received message, and which delivery or event it is about. */
interface Taken extends Received {
  readonly about: Reference | undefined;
}

interface Batch {
  readonly fn: SimulatedFunction;
  readonly queue: Queue;
  readonly batch: readonly Taken[];
}

async function invoke(world: World, { fn, queue, batch }: Batch): Promise<void> {
  const { time, weather, plant, chance } = world;
  const instance = idleInstance(world, fn);
  const { life } = instance;
  instance.isBusy = true;
  life.works = batch.flatMap(({ about }) => about ?? []);
  life.sent = [];
  world.atWork.add(life);
  world.journal.tell(life.name, () => describe({ queue, batch }));
  const deadlineMs = time.now() + fn.timeoutMs;
  const cancel = time.later(fn.timeoutMs, () => {
    if (life.isOver || !instance.isBusy || time.now() < deadlineMs) return;
    if (isSwift(weather)) world.violate('I19', `${life.name} ran out of time, though no call was slow`);
    life.end();
  });
  if (plant?.acknowledgesFirst === true && fn.name === 'deliver') await deleteAll(queue, batch);
  const records = batch.map((received) => recordOf(received, { arn: queue.arn, region: 'us-east-1' }));
  const { batchItemFailures } = await instance.work(records, () => deadlineMs - time.now());
  cancel();
  instance.isBusy = false;
  life.works = [];
  world.atWork.delete(life);
  fn.running -= 1;
  if (weather.skewMs > 0 && chance.isLucky(0.05)) life.skewMs = drawSkew(world);
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  for (const taken of batch) {
    if (!failed.has(taken.message.id)) acknowledge(world, queue, taken);
    else if (fn.name === 'deliver' && isFaultless(weather) && isLiving(taken))
      world.violate('I19', `a receive was burnt of ${taken.message.body}`);
  }
}

function isLiving({ message: { body } }: Taken): boolean {
  const message = readMessage(body);
  return message !== undefined && message.dead === undefined;
}

async function deleteAll(queue: Queue, batch: readonly Taken[]): Promise<void> {
  for (const { receiptHandle } of batch) await queue.delete(receiptHandle);
}

const lambda: Life = { name: 'lambda', isOver: false, skewMs: 0, works: [], sent: [], end: () => undefined };

/** Lambda deletes what is done; a delete may fail, and then its message comes again. */
function acknowledge(world: World, queue: Queue, { receiptHandle, about }: Taken): void {
  const ports = { acknowledge: (taken: { receiptHandle: string }) => queue.delete(taken.receiptHandle) };
  const done = () => world.underWay.delete(receiptHandle);
  noteOrphans(world, about);
  world.underWay.add(receiptHandle);
  suspendable(ports, world, lambda)
    .acknowledge({ ...about, receiptHandle })
    .then(done, done);
}

/** When a copy of a message is acknowledged while another one is worked on, that one does not come again. */
function noteOrphans({ atWork, book }: World, about: Reference | undefined): void {
  if (about?.endpointId === undefined) return;
  const { endpointId, eventId } = about;
  for (const { works } of atWork)
    if (works.some((one) => one.endpointId === endpointId && one.eventId === eventId))
      book.dossier(endpointId, eventId).isOrphaned = true;
}

function idleInstance(world: World, fn: SimulatedFunction): Instance {
  for (const instance of fn.instances)
    // Lambda may begin with a new one at any time.
    if (!instance.isBusy && !world.chance.isLucky(0.05)) return instance;
  return newInstance(world, fn);
}

function newInstance(world: World, fn: SimulatedFunction): Instance {
  const name = `${fn.name} ${(world.born.count += 1)}`;
  const life: Life = {
    ...{ name, isOver: false, skewMs: drawSkew(world), works: [], sent: [] },
    end: () => {
      if (life.isOver) return;
      life.isOver = true;
      fn.instances.delete(instance);
      if (instance.isBusy) fn.running -= 1;
      world.atWork.delete(life);
      world.journal.tell(name, () => 'dies');
      for (const about of [...life.works, ...life.sent]) world.book.disturb(about);
    },
  };
  const instance: Instance = { life, work: fn.make(world, life), isBusy: false };
  fn.instances.add(instance);
  return instance;
}

function drawSkew({ chance, weather: { skewMs } }: World): number {
  return skewMs === 0 ? 0 : chance.between(-skewMs, skewMs);
}

function describe({ queue, batch }: Pick<Batch, 'queue' | 'batch'>): string {
  const all = batch.map(({ about, receiveCount }) => {
    const name =
      about === undefined ? 'something' : `${short(about.endpointId ?? '')}/${short(about.eventId)}`;
    return receiveCount > 1 ? `${name} (receive ${receiveCount})` : name;
  });
  return `takes from ${queue.definition.name}: ${all.join(', ')}`;
}

/** What a message is about: a delivery, or an event that is still to be routed. */
function aboutOf({ book }: World, { message, receiveCount }: Received): Reference | undefined {
  const known = receiveCount > 1 ? book.messages.get(message.id) : undefined;
  if (known !== undefined) return known;
  const eventId = book.sentToBus.get(message.body);
  const about = eventId === undefined ? referenceIn(parsed(message.body)) : { eventId };
  if (about !== undefined) book.messages.set(message.id, about);
  return about;
}
