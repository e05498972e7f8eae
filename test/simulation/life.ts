import { TimeoutError } from '../../lambdas/shared/in-time.ts';
import { latencyMs } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';
import type { Book, Reference } from './book.ts';
import { referencesIn } from './references.ts';
import type { Chance } from './chance.ts';
import type { Journal } from './journal.ts';
import { fateOf } from './weather.ts';
import type { Fate, Service, Weather } from './weather.ts';

/** Something that runs and may die: an instance of a function, or a call of the API. */
export interface Life {
  readonly name: string;
  isOver: boolean;
  /** How far its clock is off. */
  skewMs: number;
  /** What it is working on. */
  works: readonly Reference[];
  /** What it has brought back from the rows since it began: should it come to nothing, others bring it back once more. */
  sent: Reference[];
  /** Lets the world know that it is gone. */
  readonly end: () => void;
}

export interface Surroundings {
  readonly time: Scheduler;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly book: Book;
  readonly journal: Journal;
}

/** As long as a call of AWS may take with all its tries (shared/in-time.ts). */
const slowMsMax = 9_000;
/** A call that is never answered ends by then. */
const holeMs = 10_000;

const serviceOf: Readonly<Record<string, Service>> = {
  receive: 'sqs',
  remove: 'sqs',
  release: 'sqs',
  announce: 'bus',
  acknowledge: 'lambda',
  signDigest: 'kms',
  createKey: 'kms',
  readSecret: 'secrets',
  put: 'secrets',
  retire: 'secrets',
  post: 'receiver',
};

/** These reach nothing outside of the function. */
const within = new Set(['now', 'random', 'log', 'newUuid', 'randomBytes', 'newId']);

/**
 * The same ports, but each call of one is a place where the caller waits until it is its turn, and where something may
 * befall it. However deep ports are nested, and whatever they are called: new ones need nothing here.
 */
export function suspendable<Ports extends object>(ports: Ports, around: Surroundings, life: Life): Ports {
  const known = new Map<string | symbol, unknown>();
  return new Proxy(ports, {
    get: (target, name, receiver) => {
      if (known.has(name)) return known.get(name);
      const value: unknown = Reflect.get(target, name, receiver);
      const wrapped = wrap(value, String(name));
      known.set(name, wrapped);
      return wrapped;
    },
  });

  function wrap(value: unknown, name: string): unknown {
    if (typeof value === 'function' && !within.has(name)) {
      const service = serviceOf[name] ?? 'dynamodb';
      return (...args: unknown[]) =>
        suspend(around, life, {
          ...{ name, service, abouts: referencesIn(args[0]), places: [] },
          make: () =>
            new Promise<unknown>((resolve) => {
              resolve(Reflect.apply(value, ports, args));
            }),
        });
    }
    return isPlain(value) ? suspendable(value, around, life) : value;
  }
}

/** A call of a service. */
export interface Call {
  readonly name: string;
  /** What it asks for, for the story. */
  readonly tell?: () => string;
  readonly service: Service;
  /** Which deliveries it is about, as far as its arguments say. */
  readonly abouts: readonly Reference[];
  /** The partitions, of a table or an index, that it reaches. */
  readonly places: readonly string[];
  readonly make: () => Promise<unknown>;
}

/** What AWS refuses for now. */
export class Fault extends Error {
  override readonly name = 'ThrottlingException';
}

/** Nobody waits for these, so nothing is learned from having them wait. */
const prompt = new Set(['acknowledge', 'release']);

/** The caller waits until it is its turn, and something may befall its call. */
export async function suspend(around: Surroundings, life: Life, call: Call): Promise<unknown> {
  // The dead call nothing more.
  if (life.isOver) return new Promise(() => undefined);
  const { time, chance, weather } = around;
  const { service, name, places } = call;
  const fate = fateOf(weather, chance, { service, places, nowMs: time.now() });
  if (fate === 'well' && prompt.has(name)) return call.make();
  if (fate !== 'well') disturb(around, life, { call, fate });
  const slowMs = fate === 'black hole' ? holeMs : fate === 'slow before' ? chance.between(1, slowMsMax) : 0;
  // A request leaves at once: between its timestamp and the receiver there is nothing but the network.
  const ms = slowMs + (service === 'receiver' ? 0 : latencyMs(chance));
  return new Promise((resolve, reject) => {
    const ends: Ends = {
      answer: (value) => {
        if (!life.isOver) resolve(value);
      },
      fail: (fault) => {
        if (!life.isOver) reject(fault instanceof Error ? fault : new Error('no error', { cause: fault }));
      },
    };
    time.later(ms, () => {
      reach(around, life, { call, fate, ends });
    });
  });
}

interface Ends {
  readonly answer: (value: unknown) => void;
  readonly fail: (fault: unknown) => void;
}

interface Reaching {
  readonly call: Call;
  readonly fate: Fate;
  readonly ends: Ends;
}

/** The call reaches its service, unless something befalls it before. */
function reach(around: Surroundings, life: Life, { call, fate, ends }: Reaching): void {
  if (life.isOver) {
    // What was under way when its caller died may still arrive.
    if (around.chance.isLucky(0.5)) call.make().catch(() => undefined);
  } else if (fate === 'crash before') life.end();
  else if (fate === 'fault before') ends.fail(new Fault());
  else if (fate === 'black hole') {
    // Whether it has arrived, nobody knows.
    if (around.chance.isLucky(0.5)) call.make().catch(() => undefined);
    ends.fail(new TimeoutError('no answer within the time of a call'));
  } else if (fate === 'well' || fate === 'slow before') call.make().then(ends.answer, ends.fail);
  else arrive(around, life, { call, fate, ends }).catch(ends.fail);
}

/** It has reached its service; something befalls its answer. */
async function arrive(around: Surroundings, life: Life, { call, fate, ends }: Reaching): Promise<void> {
  const { time, chance } = around;
  let value = await call.make();
  if (fate === 'twice') value = await call.make();
  if (fate === 'crash after') life.end();
  else if (fate === 'fault after') ends.fail(new Fault());
  else if (fate === 'slow after') {
    time.later(chance.between(1, slowMsMax), () => {
      ends.answer(value);
    });
  } else ends.answer(value);
}

/**
 * Whether what befalls a call may cost a delivery a request or a message more. A table or a key that fails may not: the
 * delivery is put off, and what was made of it travels until it can be recorded (I20).
 */
function mayRepeat({ service }: Call, fate: Fate): boolean {
  if (service === 'lambda') return true;
  return service === 'sqs' && (fate === 'twice' || fate === 'fault after' || fate === 'black hole');
}

function disturb(
  { book, journal }: Surroundings,
  life: Life,
  { call, fate }: { call: Call; fate: Fate },
): void {
  const { name, tell = () => name, abouts } = call;
  journal.tell(life.name, () => `${tell()}: ${fate}`);
  if (mayRepeat(call, fate)) for (const about of abouts) book.disturb(about);
  if (fate === 'slow before' || fate === 'slow after') return;
  for (const about of abouts) book.fail(about);
  for (const about of life.sent) book.disturb(about);
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
