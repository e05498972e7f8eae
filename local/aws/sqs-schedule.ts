import type { Clock } from './clock.ts';
import { Heap } from './heap.ts';

/** What falls due when, with a single timer for the earliest; nothing is looked at before its time. */
export class Schedule<Item> {
  readonly #due = new Heap<Item>();
  readonly #clock: Clock;
  readonly #fallDue: (item: Item) => void;
  #armedFor: number | undefined;
  #disarm: (() => void) | undefined;
  #isClosed = false;

  constructor(clock: Clock, fallDue: (item: Item) => void) {
    this.#clock = clock;
    this.#fallDue = fallDue;
  }

  /** Schedules the item, or moves it to another time. */
  set(item: Item, at: number): void {
    this.#due.set(item, at);
    this.#arm();
  }

  delete(item: Item): void {
    this.#due.delete(item);
    this.#arm();
  }

  /** Lets fall what is due by now. Callers ask before they look, since a timer may be late and a clock may be skewed. */
  settle(): void {
    const now = this.#clock.now();
    for (let next = this.#due.first(); next !== undefined && next.rank <= now; next = this.#due.first()) {
      this.#due.delete(next.item);
      this.#fallDue(next.item);
    }
    this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#disarm?.();
  }

  #arm(): void {
    const at = this.#due.first()?.rank;
    if (at === this.#armedFor || this.#isClosed) return;
    this.#disarm?.();
    this.#armedFor = at;
    this.#disarm =
      at === undefined ? undefined : this.#clock.after(Math.max(0, at - this.#clock.now()), this.#ring);
  }

  readonly #ring = (): void => {
    this.#armedFor = undefined;
    this.settle();
  };
}
