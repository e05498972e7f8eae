import type { z } from 'zod';
import { deliverEnv } from '../../lambdas/delivery/env.ts';
import { recoverEnv } from '../../lambdas/recovery/env.ts';
import { wakeEnv } from '../../lambdas/recovery/wake/env.ts';
import { noRounds } from '../../lambdas/recovery/wake/rounds.ts';
import type { Rounds } from '../../lambdas/recovery/wake/rounds.ts';
import { routeEnv } from '../../lambdas/routing/env.ts';
import { aSetting } from '../../local/aws/setting.ts';
import type { Shelf } from '../../local/aws/shelf.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { Sqs } from '../../local/aws/sqs.ts';
import { memorySecrets } from '../fakes/secrets.ts';
import type { MemorySecrets } from '../fakes/secrets.ts';
import type { OnWrite } from '../fakes/table/table.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import type { MemoryTables } from '../fakes/table/memory-tables.ts';
import { Book } from './book.ts';
import type { Chance } from './chance.ts';
import { makeJournal } from './journal.ts';
import type { Life, Surroundings } from './life.ts';
import type { Past, Plant } from './plant.ts';
import type { Behaviour } from './receivers.ts';
import type { Scheduler } from './scheduler.ts';
import { simulatedKms } from './signing-keys.ts';
import type { SimulatedKms } from './signing-keys.ts';
import type { History } from './history.ts';
import { Stores } from './stores.ts';
import { issuer } from './verify.ts';
import type { Weather } from './weather.ts';

/** Something that must never be, and was. */
export interface Violation {
  readonly invariant: string;
  readonly text: string;
}

export interface World extends Surroundings {
  readonly plant: Plant | undefined;
  readonly plantedPast: Past;
  readonly tables: MemoryTables;
  /** The stores as nobody in the system has them: nothing befalls their calls. */
  readonly stores: Stores;
  readonly secrets: MemorySecrets;
  readonly kms: SimulatedKms;
  readonly sqs: Sqs;
  readonly queues: Queues;
  readonly env: Environments;
  /** Who is writing to a table at this moment. */
  readonly hand: {
    life: Life | undefined;
    /** At the end everything is looked at as it is, not as it was a moment ago. */
    isLooking: boolean;
  };
  /** Rows of the ledger that stand in its index `waiting`, by their keys, and when they are past their time. */
  readonly rows: Map<string, number>;
  /** How far whoever comes every minute has come. */
  readonly woken: { rounds: Rounds; idleMs: number; isBusy: boolean };
  /** How each endpoint's receiver behaves, and since when. */
  readonly receivers: Map<string, History<Behaviour>>;
  /** What somebody still waits for: acknowledgements, calls of the API. */
  readonly underWay: Set<unknown>;
  /** Items of a page of a recovery: few, so that most have several pages. */
  readonly paging: { items: number };
  /** Functions that work on a batch. */
  readonly atWork: Set<Life>;
  /** Instances of functions so far. */
  readonly born: { count: number };
  readonly retentionDays: number;
  /** Whether waits of hours and days may occur. */
  readonly isLong: boolean;
  /** Only the first is kept: what follows from it says little. */
  readonly violate: (invariant: string, text: string) => void;
  readonly violation: () => Violation | undefined;
}

/** What the stack tells each function. */
export interface Environments {
  readonly deliver: z.output<typeof deliverEnv>;
  readonly route: z.output<typeof routeEnv>;
  readonly recover: z.output<typeof recoverEnv>;
  readonly wake: z.output<typeof wakeEnv>;
}

export interface Queues {
  readonly events: Queue;
  readonly eventsFalling: Queue;
  readonly eventsDead: Queue;
  readonly deliveries: Queue;
  readonly retries: Queue;
  readonly lanesDead: Queue;
  readonly falling: Queue;
  readonly deliveriesDead: Queue;
  readonly recovery: Queue;
  readonly recoveryDead: Queue;
}

export interface WorldWish {
  readonly chance: Chance;
  readonly time: Scheduler;
  readonly weather: Weather;
  readonly retentionDays: number;
  readonly isLong: boolean;
  readonly withStory: boolean;
  readonly plant: Plant | undefined;
  /** Sees whatever is written to a table. */
  readonly watch: (world: World, write: Parameters<OnWrite>[0]) => void;
}

/** A world in which nothing has happened yet. */
export async function makeWorld(wish: WorldWish): Promise<World> {
  const { chance, time, weather, retentionDays, isLong, withStory, plant } = wish;
  const journal = makeJournal(time.now, withStory);
  const sqs = sqsOf(wish);
  const queues = await makeQueues(sqs);
  const lag = (ms: number) => () => (time.now() < weather.calmAtMs && !hand.isLooking ? ms : 0);
  const hand: World['hand'] = { life: undefined, isLooking: false };
  const tables = memoryTables({
    now: time.now,
    indexLagMs: lag(weather.indexLagMs),
    ...(weather.readLagMs === 0 ? {} : { readLagMs: lag(weather.readLagMs) }),
    onWrite: (write) => {
      wish.watch(world, write);
    },
  });
  let violation: Violation | undefined;
  const world: World = {
    ...{
      chance,
      time,
      weather,
      book: new Book(),
      journal,
      plant,
      sqs,
      retentionDays,
      isLong,
      tables,
      queues,
      hand,
    },
    plantedPast: new Map(),
    stores: new Stores(tables.client, tables, time.now),
    secrets: memorySecrets(),
    kms: simulatedKms(),
    env: environments(tables, queues, retentionDays),
    rows: new Map(),
    woken: { rounds: noRounds, idleMs: 0, isBusy: false },
    receivers: new Map(),
    underWay: new Set(),
    atWork: new Set(),
    paging: { items: 2 },
    born: { count: 0 },
    violate: (invariant, text) => {
      violation ??= { invariant, text };
      journal.tell('!', () => `${invariant} does not hold: ${text}`);
    },
    violation: () => violation,
  };
  return world;
}

function sqsOf({ chance, time, weather }: WorldWish): Sqs {
  const setting = aSetting({ clock: time, random: chance.random, shelf: noShelf, report: () => undefined });
  const isCalm = () => time.now() >= weather.calmAtMs;
  return new Sqs(setting, {
    get duplicate() {
      return isCalm() ? 0 : weather.duplicate;
    },
    get reorder() {
      return isCalm() ? 0 : weather.reorder;
    },
    lateMs: (queue) => {
      const { constantMs, spreadMs } = (isCalm() ? undefined : weather.lateness[queue]) ?? onTime;
      return constantMs + (spreadMs === 0 ? 0 : chance.below(spreadMs));
    },
    random: chance.random,
  });
}

const onTime = { constantMs: 0, spreadMs: 0 };

function environments(tables: MemoryTables, queues: Queues, retentionDays: number): Environments {
  const { events, eventsFalling, deliveries, retries, falling, recovery } = queues;
  const all = {
    ...{
      CONFIG_TABLE: tables.config,
      LEDGER_TABLE: tables.ledger,
      BUS_NAME: 'bus',
      SECRET_PREFIX: 'tidings',
    },
    ...{ EVENTS_QUEUE_URL: events.url, EVENTS_FALLING_QUEUE_URL: eventsFalling.url },
    ...{ DELIVERIES_QUEUE_URL: deliveries.url, RETRIES_QUEUE_URL: retries.url },
    ...{ FALLING_QUEUE_URL: falling.url, RECOVERY_QUEUE_URL: recovery.url },
    ...{ RECEIVER_PORTS: '443', OWN_HOSTS: 'api.example.com', NAT64: 'false', ISSUER: issuer },
    ...{ EVENT_SCHEMAS: 'warn', RETENTION_DAYS: 30 },
  };
  // Some runs keep events for minutes, which no stack may.
  const kept = { RETENTION_DAYS: retentionDays };
  return {
    deliver: { ...deliverEnv.parse(all), ...kept },
    route: { ...routeEnv.parse(all), ...kept },
    recover: recoverEnv.parse(all),
    wake: wakeEnv.parse(all),
  };
}

/** As lib/ has them: six times the function's timeout, and the dead after three receives, twenty or fifty. */
async function makeQueues(sqs: Sqs): Promise<Queues> {
  const common = { messageRetentionSeconds: 1_209_600, delaySeconds: 0, visibilityTimeoutSeconds: 30 };
  const dead = (name: string) => sqs.createQueue({ ...common, name });
  const lane = (
    name: string,
    { arn }: Queue,
    [visibilityTimeoutSeconds, maxReceiveCount]: [number, number],
  ) =>
    sqs.createQueue({
      ...{ ...common, name, visibilityTimeoutSeconds },
      redrive: { deadLetterQueueArn: arn, maxReceiveCount },
    });
  const [deliveriesDead, lanesDead] = [await dead('deliveries-dead'), await dead('lanes-dead')];
  const [eventsDead, recoveryDead] = [await dead('events-dead'), await dead('recovery-dead')];
  return {
    ...{ deliveriesDead, lanesDead, eventsDead, recoveryDead },
    recovery: await lane('recovery', recoveryDead, [360, 20]),
    events: await lane('events', eventsDead, [180, 50]),
    eventsFalling: await lane('events-falling', eventsDead, [180, 3]),
    deliveries: await lane('deliveries', lanesDead, [360, 50]),
    retries: await lane('retries', lanesDead, [360, 50]),
    falling: await lane('falling', deliveriesDead, [360, 3]),
  };
}

/** Nothing outlives a run. */
const noShelf: Shelf = {
  put: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  entries: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};
