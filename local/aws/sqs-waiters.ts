import type { Clock } from './clock.ts';

/** Receivers that wait for a message: the queue's own signal, so that nobody has to ask again and again. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Lets the one go that has waited longest. */
  wakeOne(): void {
    const [wake] = this.#waiting;
    wake?.();
  }

  wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when woken, when `ms` have passed (never, if infinite), or when the signal aborts. */
  wait(clock: Clock, { ms, signal }: { ms: number; signal?: AbortSignal | undefined }): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        cancel?.();
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const cancel = Number.isFinite(ms) ? clock.after(ms, wake) : undefined;
      signal?.addEventListener('abort', wake);
      this.#waiting.add(wake);
    });
  }
}
