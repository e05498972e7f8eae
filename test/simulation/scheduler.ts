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
 * as it can. A store gathers the calls of a turn of the event loop before it sends them (`setImmediate` in
 * lambdas/shared/store.ts), so a turn takes the event loop round twice: what was gathered in this one is sent and
 * answered in the next.
 */
export function takeTurns(turn: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const next = (): void => {
    try {
      if (turn()) later();
      else resolve(undefined);
    } catch (fault) {
      reject(fault instanceof Error ? fault : new Error('a turn failed', { cause: fault }));
    }
  };
  const later = (): void => {
    setImmediate(() => {
      setImmediate(next);
    });
  };
  later();
  return promise;
}

/** How long a call takes that nothing befalls: mostly none of virtual time, so that many meet at one moment. */
export function latencyMs(chance: Chance): number {
  const draw = chance.random();
  return draw < 0.7 ? 0 : Math.floor(1 + (draw - 0.7) * 100);
}
