/** SQS: "about 120,000" messages in flight for a standard queue; past that, silence. */
export const inFlightMax = 120_000;
/** SQS fair queues: below this many in flight a group is never noisy, whatever its share. */
const noisyMin = 30;
const noisyShare = 0.1;

/**
 * How many messages are in flight, and of which group.
 * AWS also looks at the share of recent processing time, and lets a group stay noisy for up to five minutes; here a
 * group is noisy exactly as long as its messages in flight make it so.
 */
export class FlightLog {
  readonly #byGroup = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size >= inFlightMax;
  }

  isNoisy(group: string): boolean {
    const own = this.#byGroup.get(group) ?? 0;
    return own >= noisyMin && own > this.#size * noisyShare;
  }

  start(group: string): void {
    this.#size++;
    this.#byGroup.set(group, (this.#byGroup.get(group) ?? 0) + 1);
  }

  end(group: string): void {
    this.#size--;
    const left = (this.#byGroup.get(group) ?? 0) - 1;
    if (left > 0) this.#byGroup.set(group, left);
    else this.#byGroup.delete(group);
  }
}
