/** What something was, and since when. */
export class History<Value> {
  readonly #changes: { readonly sinceMs: number; readonly value: Value }[];

  /** Until the first change it has always been like this. */
  constructor(first: Value) {
    this.#changes = [{ sinceMs: -Infinity, value: first }];
  }

  get latest(): Value {
    return this.#last().value;
  }

  /** Since when it has been what it is. */
  get sinceMs(): number {
    return this.#last().sinceMs;
  }

  change(nowMs: number, value: Value): void {
    this.#changes.push({ sinceMs: nowMs, value });
  }

  /** All that it has been from one moment to another, both included, in this order. */
  between(fromMs: number, toMs: number): Value[] {
    const { length } = this.#changes;
    return this.#changes
      .filter(({ sinceMs }, index) => {
        const next = index + 1 < length ? this.#changes[index + 1] : undefined;
        return sinceMs <= toMs && (next?.sinceMs ?? Infinity) >= fromMs;
      })
      .map(({ value }) => value);
  }

  /** Until when it was last of a kind, at a moment and before; that very moment, if it still is. */
  lastMs(isOfKind: (value: Value) => boolean, nowMs: number): number {
    let untilMs = nowMs;
    for (const { sinceMs, value } of this.#changes.toReversed()) {
      if (sinceMs > nowMs) continue;
      if (isOfKind(value)) return untilMs;
      untilMs = sinceMs;
    }
    return -Infinity;
  }

  /** Since when it has first been of a kind. */
  firstMs(isOfKind: (value: Value) => boolean): number | undefined {
    return this.#changes.find(({ value }) => isOfKind(value))?.sinceMs;
  }

  /** All that it has ever been. */
  all(): Value[] {
    return this.#changes.map(({ value }) => value);
  }

  #last() {
    const last = this.#changes.at(-1);
    if (last === undefined) throw new Error('a history begins with something');
    return last;
  }
}
