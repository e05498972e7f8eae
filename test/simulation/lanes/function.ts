import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { recordOf } from './lane.ts';
import type { Lane } from './lane.ts';
import type { Actor, Meter } from './meter.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Works on a batch; as many milliseconds of CPU as it takes are slept by itself. */
export type Work = (records: readonly SQSRecord[], remainingMs: () => number) => Promise<SQSBatchResponse>;

export interface FunctionWish {
  readonly actor: Actor;
  readonly timeoutMs: number;
  /** A new instance, with memory of its own. */
  readonly make: () => Work;
  /** Until a new instance can work. */
  readonly coldMs: number;
}

export interface FunctionSurroundings {
  readonly time: VirtualTime;
  readonly meter: Meter;
  readonly chance: () => number;
}

/** How long a message that can be taken waits for somebody who asks for it, at most: pollers ask all the time. */
const pollMsMax = 20;

/** A function of Lambda in virtual time: each instance works on one batch at a time, and is used again afterwards. */
export class SimulatedFunction {
  readonly #around: FunctionSurroundings;
  readonly #wish: FunctionWish;
  readonly #idle: Work[] = [];
  /** Instances so far. */
  instances = 0;
  /** Batches that were worked on at the same time, at most, of each lane. */
  readonly most = new Map<string, number>();

  constructor(around: FunctionSurroundings, wish: FunctionWish) {
    this.#around = around;
    this.#wish = wish;
  }

  /** Takes what comes to a lane, so many batches at a time. */
  serve(lane: Lane, { runningMax, batchMax }: { runningMax: number; batchMax: number }): void {
    const { time, chance } = this.#around;
    let running = 0;
    // What those who are on their way to it will take.
    let asked = 0;
    const ask = (): void => {
      while (running < runningMax && lane.visible > asked) {
        running += 1;
        this.most.set(lane.name, Math.max(running, this.most.get(lane.name) ?? 0));
        asked += batchMax;
        time.at(time.now() + 1 + chance() * pollMsMax, () => {
          asked -= batchMax;
          void this.#workOn(lane, batchMax).then(() => {
            running -= 1;
            ask();
          });
        });
      }
    };
    lane.onVisible = ask;
  }

  async #workOn(lane: Lane, batchMax: number): Promise<void> {
    const { actor } = this.#wish;
    const taken = lane.take(actor, batchMax);
    if (taken.length === 0) return;
    const { batchItemFailures } = await this.run((work, remainingMs) =>
      work(
        taken.map((one) => recordOf(one, lane.name)),
        remainingMs,
      ),
    );
    if (batchItemFailures.length > 0) throw new Error(`nothing fails here, but ${actor} has failed`);
    lane.delete(actor, taken);
  }

  /** Has an instance do something, and pays for its time. */
  async run<Result>(use: (work: Work, remainingMs: () => number) => Promise<Result>): Promise<Result> {
    const { time, meter } = this.#around;
    const { actor, timeoutMs, coldMs } = this.#wish;
    let work = this.#idle.pop();
    if (work === undefined) {
      work = this.#wish.make();
      this.instances += 1;
      await time.sleep(coldMs);
    }
    const startedMs = time.now();
    const result = await use(work, () => startedMs + timeoutMs - time.now());
    meter.invocation(actor, time.now() - startedMs);
    if (time.now() - startedMs > timeoutMs) throw new Error(`${actor} took longer than it may`);
    this.#idle.push(work);
    return result;
  }
}
