import type { Clock } from '../../local/aws/clock.ts';
import { Heap } from '../../local/aws/heap.ts';
import { testStartMs } from '../fakes/clock.ts';
import type { Chance } from './chance.ts';

interface Task {
  readonly run: () => void;
  /** A timer of a stand-in: it runs when it is due, and takes no part in the draw. */
  readonly isTimer: boolean;
}

/**
 * Virtual time. What is ready at a moment goes in an order that chance decides; time stands still as long as anything
 * is ready, and then moves on to what is due next.
 */
export class Scheduler implements Clock {
  readonly #due = new Heap<Task>();
  readonly #ready: (() => void)[] = [];
  #gathered: (() => void)[] = [];
  #nowMs = testStartMs;

  readonly now = (): number => this.#nowMs;

  get readyCount(): number {
    return this.#ready.length;
  }

  /** For the stand-ins' own timers. */
  after(ms: number, run: () => void): () => void {
    return this.#put(ms, { run, isTimer: true });
  }

  /** Has `run` take part in the draw, `ms` from now. The answer cancels it, as long as it is not ready. */
  later(ms: number, run: () => void): () => void {
    if (ms > 0) return this.#put(ms, { run, isTimer: false });
    this.#ready.push(run);
    return () => undefined;
  }

  /** What functions put off to the end of a turn of the event loop, to make one call of many. */
  gather(run: () => void): void {
    this.#gathered.push(run);
  }

  /** Runs what was put off; false when nothing was. */
  runGathered(): boolean {
    if (this.#gathered.length === 0) return false;
    const all = this.#gathered;
    this.#gathered = [];
    for (const run of all) run();
    return true;
  }

  /** Runs one of what is ready, by its place. */
  run(place: number): void {
    const chosen = this.#ready[place];
    const last = this.#ready.pop();
    if (chosen === undefined || last === undefined) throw new Error('nothing is ready at this place');
    if (place < this.#ready.length) this.#ready[place] = last;
    chosen();
  }

  /** Moves on to what is due next, which becomes ready; false when nothing is. */
  advance(): boolean {
    const first = this.#due.first();
    if (first === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, first.rank);
    for (let next = this.#due.first(); next !== undefined && next.rank <= this.#nowMs;) {
      this.#due.delete(next.item);
      if (next.item.isTimer) next.item.run();
      else this.#ready.push(next.item.run);
      next = this.#due.first();
    }
    return true;
  }

  #put(ms: number, task: Task): () => void {
    // In whole milliseconds, as functions see it.
    this.#due.set(task, this.#nowMs + Math.max(0, Math.ceil(ms)));
    return () => {
      this.#due.delete(task);
    };
  }
}

/**
 * Takes one turn after the other until one says that it was the last. Between two turns every promise goes on as far
 * as it can, and what was gathered meanwhile is sent: what a promise puts on `nextTick` comes when no promise has
 * anything left to do, at a tenth of the price of `setImmediate`. (What a tick puts there comes before all promises.)
 */
export function takeTurns(time: Scheduler, turn: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const next = (): void => {
    try {
      if (time.runGathered() || turn()) queueMicrotask(later);
      else resolve(undefined);
    } catch (fault) {
      reject(fault instanceof Error ? fault : new Error('a turn failed', { cause: fault }));
    }
  };
  const later = (): void => {
    process.nextTick(next);
  };
  later();
  return promise;
}

/**
 * Has the timers of the process follow virtual time while a run goes on, as functions use them: stores gather calls by
 * `setImmediate`, and calls of AWS end in time by `setTimeout`. A run never lets go of the event loop, so nobody else
 * meets them.
 */
export async function withVirtualTimers<Result>(
  time: Scheduler,
  live: () => Promise<Result>,
): Promise<Result> {
  const { setTimeout, clearTimeout, setImmediate } = globalThis;
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms = 0) => time.after(ms, run),
    clearTimeout: (cancel: unknown) => {
      if (typeof cancel === 'function') Reflect.apply(cancel, undefined, []);
    },
    setImmediate: (run: () => void) => {
      time.gather(run);
    },
  });
  try {
    return await live();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate });
  }
}

/** How long a call takes that nothing befalls: mostly none of virtual time, so that many meet at one moment. */
export function latencyMs(chance: Chance): number {
  const draw = chance.random();
  return draw < 0.7 ? 0 : Math.floor(1 + (draw - 0.7) * 100);
}
