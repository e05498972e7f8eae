import type { Clock } from './clock.ts';
import { Backlog, groupOf } from './sqs-backlog.ts';
import { FlightLog } from './sqs-flight-log.ts';
import type { StoredMessage } from './sqs-message.ts';
import type { Held } from './sqs-received.ts';
import { Schedule } from './sqs-schedule.ts';

interface StockOptions {
  clock: Clock;
  retentionMs: number;
  /** A message has become visible, or there is room in flight again for one that was. */
  onVisible: () => void;
  /** A message has gone because it was older than the retention. */
  onExpired: (held: Held) => void;
}

/**
 * A queue's messages in memory: each is `delayed`, `visible` or `in flight`, and every such state ends at a known time,
 * kept in one schedule.
 */
export class Stock {
  readonly #options: StockOptions;
  readonly #held = new Map<string, Held>();
  readonly #backlog = new Backlog<Held>();
  readonly #flights = new FlightLog();
  readonly #schedule: Schedule<Held>;

  constructor(options: StockOptions) {
    this.#options = options;
    this.#schedule = new Schedule(options.clock, (held) => {
      this.#fallDue(held);
    });
  }

  /** No more may be received until some come back or are deleted. */
  get isFull(): boolean {
    return this.#flights.isFull;
  }

  counts(): { visible: number; inFlight: number; delayed: number } {
    const [visible, inFlight] = [this.#backlog.size, this.#flights.size];
    return { visible, inFlight, delayed: this.#held.size - visible - inFlight };
  }

  /** Lets every state end that should have ended by now. */
  settle(): void {
    this.#schedule.settle();
  }

  find(id: string): Held | undefined {
    return this.#held.get(id);
  }

  all(): Held[] {
    return [...this.#held.values()];
  }

  hold(message: StoredMessage): void {
    const { id, groupId } = message;
    const held: Held = {
      id,
      groupId,
      message,
      state: 'delayed',
      receives: message.receives ?? 0,
      receivedAt: 0,
    };
    this.#held.set(id, held);
    if (message.visibleAt <= this.#options.clock.now()) this.show(held);
    else this.#schedule.set(held, Math.min(message.visibleAt, this.#expiresAt(held)));
  }

  /** Takes the next visible message out of the line, quiet groups first unless `isFair` is false. */
  next({ isFair }: { isFair: boolean }): Held | undefined {
    return this.#backlog.take((group) => isFair && this.#flights.isNoisy(group));
  }

  /** Puts a message that was next in flight, until `dueAt`. */
  lend(held: Held, dueAt: number): void {
    held.state = 'in flight';
    this.#flights.start(groupOf(held));
    this.hide(held, dueAt);
  }

  /** Keeps a message that is in flight there until `dueAt`. */
  hide(held: Held, dueAt: number): void {
    this.#schedule.set(held, Math.min(dueAt, this.#expiresAt(held)));
  }

  /** Puts a message at the end of the line. */
  show(held: Held): void {
    this.#leaveFlight(held);
    held.state = 'visible';
    this.#backlog.add(held);
    this.#schedule.set(held, this.#expiresAt(held));
    this.#options.onVisible();
  }

  drop(held: Held): void {
    this.#leaveFlight(held);
    this.#backlog.delete(held);
    this.#schedule.delete(held);
    this.#held.delete(held.id);
  }

  close(): void {
    this.#schedule.close();
  }

  #fallDue(held: Held): void {
    if (this.#options.clock.now() < this.#expiresAt(held)) {
      this.show(held);
      return;
    }
    this.drop(held);
    this.#options.onExpired(held);
  }

  #leaveFlight(held: Held): void {
    if (held.state !== 'in flight') return;
    const wasFull = this.isFull;
    this.#flights.end(groupOf(held));
    if (wasFull && this.#backlog.size > 0) this.#options.onVisible();
  }

  /** From the first send on, wherever the message has moved since (SQS: setting-up-dead-letter-queue-retention). */
  #expiresAt(held: Held): number {
    return held.message.sentAt + this.#options.retentionMs;
  }
}
