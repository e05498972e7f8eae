import { aSetting } from '../../local/aws/setting.ts';
import type { Shelf } from '../../local/aws/shelf.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { Sqs } from '../../local/aws/sqs.ts';
import { memoryConfiguration } from '../fakes/configuration.ts';
import type { MemoryConfiguration } from '../fakes/configuration.ts';
import { memoryHealth } from '../fakes/health.ts';
import type { MemoryHealth } from '../fakes/health.ts';
import { memoryJobs } from '../fakes/jobs.ts';
import type { JobStore } from '../fakes/jobs.ts';
import { memoryLedger } from '../fakes/ledger.ts';
import type { MemoryLedger } from '../fakes/ledger.ts';
import { memorySecrets } from '../fakes/secrets.ts';
import type { MemorySecrets } from '../fakes/secrets.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { Book } from './book.ts';
import type { Chance } from './chance.ts';
import { makeJournal } from './journal.ts';
import type { Surroundings } from './life.ts';
import type { Past, Plant } from './plant.ts';
import type { Behaviour } from './receivers.ts';
import type { Scheduler } from './scheduler.ts';
import { simulatedKeys } from './signing-keys.ts';
import type { SimulatedKeys } from './signing-keys.ts';
import { History } from './history.ts';
import type { Weather } from './weather.ts';

/** Something that must never be, and was. */
export interface Violation {
  readonly invariant: string;
  readonly text: string;
}

export interface World extends Surroundings {
  readonly plant: Plant | undefined;
  readonly plantedPast: Past;
  readonly ledger: MemoryLedger;
  readonly configuration: MemoryConfiguration;
  readonly health: MemoryHealth;
  readonly secrets: MemorySecrets;
  readonly keys: SimulatedKeys;
  readonly jobs: JobStore;
  readonly sqs: Sqs;
  readonly queues: Queues;
  /** How each endpoint's receiver behaves, and since when. */
  readonly receivers: Map<string, History<Behaviour>>;
  /** What somebody still waits for: acknowledgements, calls of the API. */
  readonly underWay: Set<unknown>;
  /** Instances of functions so far. */
  readonly born: { count: number };
  readonly retentionDays: number;
  /** Whether waits of hours and days may occur, each of them hundreds of hops. */
  readonly isLong: boolean;
  /** Only the first is kept: what follows from it says little. */
  readonly violate: (invariant: string, text: string) => void;
  readonly violation: () => Violation | undefined;
}

export interface Queues {
  readonly events: Queue;
  readonly eventsFalling: Queue;
  readonly eventsDead: Queue;
  readonly deliveries: Queue;
  readonly retries: Queue;
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
}

/** A world in which nothing has happened yet. */
export async function makeWorld(wish: WorldWish): Promise<World> {
  const { chance, time, weather, retentionDays, isLong, withStory, plant } = wish;
  const book = new Book();
  const journal = makeJournal(time.now, withStory);
  const setting = aSetting({ clock: time, random: chance.random, shelf: noShelf, report: () => undefined });
  const isCalm = () => time.now() >= weather.calmAtMs;
  const sqs = new Sqs(setting, {
    get duplicate() {
      return isCalm() ? 0 : weather.duplicate;
    },
    get reorder() {
      return isCalm() ? 0 : weather.reorder;
    },
    random: chance.random,
  });
  const tables = memoryTables({ now: time.now });
  let violation: Violation | undefined;
  return {
    ...{ chance, time, weather, book, journal, plant, sqs, retentionDays, isLong },
    plantedPast: new Map(),
    ledger: memoryLedger(time.now, tables),
    configuration: memoryConfiguration(tables),
    health: memoryHealth(time.now, tables),
    secrets: memorySecrets(),
    keys: simulatedKeys((key) => {
      const past = book.keys.get(key.kid) ?? new History(undefined);
      past.change(time.now(), key);
      book.keys.set(key.kid, past);
    }),
    jobs: memoryJobs(time.now, tables),
    queues: await makeQueues(sqs),
    receivers: new Map(),
    underWay: new Set(),
    born: { count: 0 },
    violate: (invariant, text) => {
      violation ??= { invariant, text };
      journal.tell('!', () => `${invariant} does not hold: ${text}`);
    },
    violation: () => violation,
  };
}

/** As lib/storage.ts has them: six times the function's timeout, and the dead after three receives, five or fifty. */
async function makeQueues(sqs: Sqs): Promise<Queues> {
  const common = { messageRetentionSeconds: 1_209_600, delaySeconds: 0, visibilityTimeoutSeconds: 30 };
  const deliveriesDead = await sqs.createQueue({ ...common, name: 'deliveries-dead' });
  const eventsDead = await sqs.createQueue({ ...common, name: 'events-dead' });
  const ofDeliver = {
    ...{ ...common, visibilityTimeoutSeconds: 270 },
    redrive: { deadLetterQueueArn: deliveriesDead.arn, maxReceiveCount: 5 },
  };
  const recoveryDead = await sqs.createQueue({ ...common, name: 'recovery-dead' });
  const ofRecover = {
    ...{ ...common, visibilityTimeoutSeconds: 360 },
    redrive: { deadLetterQueueArn: recoveryDead.arn, maxReceiveCount: 20 },
  };
  const ofRoute = (maxReceiveCount: number) => ({
    ...{ ...common, visibilityTimeoutSeconds: 180 },
    redrive: { deadLetterQueueArn: eventsDead.arn, maxReceiveCount },
  });
  return {
    deliveriesDead,
    eventsDead,
    recoveryDead,
    recovery: await sqs.createQueue({ ...ofRecover, name: 'recovery' }),
    events: await sqs.createQueue({ ...ofRoute(50), name: 'events' }),
    eventsFalling: await sqs.createQueue({ ...ofRoute(3), name: 'events-falling' }),
    deliveries: await sqs.createQueue({ ...ofDeliver, name: 'deliveries' }),
    retries: await sqs.createQueue({ ...ofDeliver, name: 'retries' }),
  };
}

/** Nothing outlives a run. */
const noShelf: Shelf = {
  put: () => Promise.resolve(),
  remove: () => Promise.resolve(),
  entries: () => Promise.resolve([]),
  close: () => Promise.resolve(),
};
