import { isoTime } from '../../lambdas/shared/time.ts';

export interface TestClock {
  readonly now: () => number;
  /** Now, as messages and answers write it. */
  readonly iso: () => string;
  readonly pass: (ms: number) => void;
  /** Moves on to a moment; one that has passed changes nothing. */
  readonly passTo: (timeMs: number) => void;
}

/** When a test begins, unless it says otherwise. */
export const testStartMs = Date.UTC(2026, 10, 23, 10);

/** Time that stands still until it is told to move. */
export function aClock(startMs = testStartMs): TestClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    iso: () => isoTime(nowMs),
    pass: (ms) => {
      nowMs += ms;
    },
    passTo: (timeMs) => {
      nowMs = Math.max(nowMs, timeMs);
    },
  };
}
