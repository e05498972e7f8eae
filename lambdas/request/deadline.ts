import { AttemptExpired, AttemptFailure } from './failure.ts';

export interface Deadline {
  /** Shortens the wait for what comes next, in place of the limit before; the deadline itself never moves. */
  readonly limit: (limitMs: number) => void;
  /** As `work` settles, or rejects when a limit passes first. */
  readonly race: <Result>(work: Promise<Result>) => Promise<Result>;
  /** Stops the timers and lets go of the signal. */
  readonly clear: () => void;
}

/**
 * The time of one attempt. The first limit that passes ends it: every later `race` rejects with
 * `AttemptExpired`, or with `timeout` when it was the caller's signal.
 */
export function makeDeadline(timeoutMs: number, signal?: AbortSignal): Deadline {
  const { promise: passed, reject } = Promise.withResolvers<never>();
  passed.catch(() => undefined); // nobody may be racing at that moment
  const expire = (limitMs: number): void => {
    reject(new AttemptExpired(limitMs));
  };
  const abort = (): void => {
    reject(new AttemptFailure('timeout', 'ended_early'));
  };
  const deadline = setTimeout(expire, timeoutMs, timeoutMs);
  let limit: NodeJS.Timeout | undefined;
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return {
    limit: (limitMs) => {
      clearTimeout(limit);
      limit = Number.isFinite(limitMs) ? setTimeout(expire, limitMs, limitMs) : undefined;
    },
    race: (work) => Promise.race([passed, work]),
    clear: () => {
      clearTimeout(deadline);
      clearTimeout(limit);
      signal?.removeEventListener('abort', abort);
    },
  };
}
