import { Heap } from './heap.ts';

/**
 * Time as the stand-ins see it. They are handed one, so that the same engines serve the runtime (real time) and a
 * simulator (virtual time).
 */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `run` once, `ms` from now. The answer cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Real time. Its timers are unref'ed: what keeps the process alive is the server that listens, not a message's retention. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

export interface ManualClock extends Clock {
  /** Moves time on, running what falls due in its order, and lets the promises it settled go on after each. */
  advance(ms: number): Promise<void>;
}

/** Time that stands still until it is told to move. */
export function manualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  const timers = new Heap<() => void>();
  let now = start;
  return {
    now: () => now,
    after: (ms, run) => {
      // A fresh function, so that one callback may wait twice.
      const timer = () => {
        run();
      };
      timers.set(timer, now + Math.max(0, ms));
      return () => {
        timers.delete(timer);
      };
    },
    advance: async (ms) => {
      // What is ready already happens now, not at the end of the wait.
      await promisesSettled();
      const end = now + ms;
      for (let next = timers.first(); next !== undefined && next.rank <= end; next = timers.first()) {
        timers.delete(next.item);
        now = Math.max(now, next.rank);
        next.item();
        await promisesSettled();
      }
      now = end;
      await promisesSettled();
    },
  };
}

export interface SkewedClock extends Clock {
  /** Moves `now()` forward by `ms`, for good. What is already waiting goes on waiting as it was. */
  skew(ms: number): void;
}

/** A clock that can be put forward: what is due by `now()` is found due at the next look, timers keep the base clock's time. */
export function skewedClock(clock: Clock): SkewedClock {
  let skewMs = 0;
  return {
    now: () => clock.now() + skewMs,
    after: (ms, run) => clock.after(ms, run),
    skew: (ms) => {
      skewMs += ms;
    },
  };
}

function promisesSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
