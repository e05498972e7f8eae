import { setImmediate } from 'node:timers/promises';
import { Heap } from '../../../local/aws/heap.ts';
import { testStartMs } from '../../fakes/clock.ts';

/** Time that passes only when nobody has anything left to do: a day takes as long as its work. */
export class VirtualTime {
  readonly #moments = new Heap<number>();
  readonly #due = new Map<number, (() => void)[]>();
  #nowMs = testStartMs;

  readonly now = (): number => this.#nowMs;

  /** Runs something at a moment; in the order of asking, when several are due together. */
  at(timeMs: number, run: () => void): void {
    // Whole milliseconds, as functions see it.
    const moment = Math.max(this.#nowMs, Math.ceil(timeMs));
    const due = this.#due.get(moment);
    if (due !== undefined) {
      due.push(run);
      return;
    }
    this.#due.set(moment, [run]);
    this.#moments.set(moment, moment);
  }

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      this.at(this.#nowMs + ms, resolve);
    });

  /** Lets time pass until something is so, or until nothing is to come. */
  async run(isOver: () => boolean): Promise<void> {
    await settle();
    for (let next = this.#moments.first(); next !== undefined && !isOver(); next = this.#moments.first()) {
      this.#moments.delete(next.item);
      this.#nowMs = next.item;
      const due = this.#due.get(next.item) ?? [];
      this.#due.delete(next.item);
      for (const run of due) run();
      await settle();
    }
  }
}

/** What follows at once: stores gather in turns of the event loop what travels together, one behind the other. */
async function settle(): Promise<void> {
  await setImmediate();
  await setImmediate();
  await setImmediate();
}
