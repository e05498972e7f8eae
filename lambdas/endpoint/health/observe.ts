import type { EffectivePolicy } from '../../organization/policy.ts';
import { isoTime } from '../../shared/time.ts';
import { wantedNow } from './backlog.ts';
import { addNotice, isAhead } from './health.ts';
import { timed } from './slow.ts';
import type { Health } from './health.ts';

/** What an attempt tells of its endpoint, or that none could be made. */
export type Observation = Success | Failure | Gone | OwnFault;

interface Common {
  /** It held the breaker's lease: only what a probe has seen ends a pause. */
  readonly isProbe: boolean;
  /** Of an attempt, on average; nothing while too little is known of it. */
  readonly durationMs: number | undefined;
}
interface Success extends Common {
  readonly kind: 'success';
}
interface Failure extends Common {
  readonly kind: 'failure';
  /** 429 or 503: the receiver lives, and asks for patience. */
  readonly isThrottle: boolean;
  /** Milliseconds that its `Retry-After` asks for; 0 without one. */
  readonly retryAfterMs: number;
}
interface Gone extends Common {
  readonly kind: 'gone';
}
/** We have long been unable to sign for it. */
interface OwnFault extends Common {
  readonly kind: 'own_fault';
}

export interface Circumstances {
  readonly policy: EffectivePolicy;
  readonly nowMs: number;
}

/**
 * The health after an attempt (docs/architecture.md). The very same object when nothing is worth a write, which is
 * so for every success of a healthy endpoint and for most failures of one that is known to fail.
 */
export function observe(before: Health, observation: Observation, circumstances: Circumstances): Health {
  // Attempts that had begun before it was switched off change nothing.
  if (before.off !== undefined) return before;
  const after = judged(before, observation, circumstances);
  return observation.kind === 'own_fault' ? after : timed(after, observation.durationMs, circumstances.nowMs);
}

function judged(before: Health, observation: Observation, circumstances: Circumstances): Health {
  switch (observation.kind) {
    case 'success':
      return afterSuccess(before, observation, circumstances);
    case 'gone':
      return switchedOff(before, 'gone', circumstances.nowMs);
    case 'own_fault':
      return afterOwnFault(before, observation, circumstances.nowMs);
    case 'failure':
      return afterFailure(before, observation, circumstances);
  }
}

function afterSuccess(before: Health, { isProbe }: Success, { nowMs }: Circumstances): Health {
  const isPaused = before.pause !== undefined;
  if (isPaused ? !isProbe : before.failingSince === undefined) return before;
  const fresh = { failures: 0, warned: 0, failingSince: undefined, lastFailureAt: undefined };
  return back({ ...before, ...fresh }, nowMs);
}

/** The pause is over, if there was one. */
function back(before: Health, nowMs: number): Health {
  if (before.pause === undefined) return before;
  const at = isoTime(nowMs);
  return {
    ...before,
    pause: undefined,
    backSince: at,
    backlog: wantedNow(before.backlog, nowMs),
    unsaid: addNotice(before.unsaid, { kind: 'resumed', at }),
  };
}

/** The first pause for a fault of ours, and the longest. */
const ownFaultSeconds = 900;
const ownFaultSecondsMax = 3_600;
const probeAgainSeconds = 60;

/** Nothing is counted against it; but what cannot be signed need not be tried for each delivery. */
function afterOwnFault(before: Health, { isProbe }: OwnFault, nowMs: number): Health {
  const { pause } = before;
  if (pause !== undefined && !isProbe) return before;
  // A probe that met a hiccup of ours is repeated after twice the pause; without a pause it has lasted for long.
  const seconds = Math.min(
    ownFaultSecondsMax,
    pause === undefined ? ownFaultSeconds : Math.max(probeAgainSeconds, pause.seconds * 2),
  );
  const until = isoTime(nowMs + seconds * 1000);
  const after = pausedUntil(before, { untilMs: nowMs + seconds * 1000, seconds, cause: 'own_fault' }, nowMs);
  if (pause === undefined || pause.cause === 'own_fault') return after;
  const said = { kind: 'paused' as const, at: isoTime(nowMs), reason: 'own_fault', until };
  return { ...after, unsaid: addNotice(after.unsaid, said) };
}

/** A streak that was interrupted for longer is a new one: an endpoint that gets an event a week is not failing for a week. */
const streakGapMs = 48 * 3_600_000;
const hourMs = 3_600_000;

function afterFailure(before: Health, failure: Failure, circumstances: Circumstances): Health {
  const { policy, nowMs } = circumstances;
  const at = isoTime(nowMs);
  const isNew = before.failingSince === undefined || !isAhead(before.lastFailureAt, nowMs - streakGapMs);
  const failures = (isNew ? 0 : before.failures) + (failure.isThrottle ? 0.5 : 1);
  const counted: Health = {
    ...before,
    failures: Math.min(failures, Math.max(before.failures, policy.circuitBreaker?.failures ?? 1)),
    ...(isNew ? { failingSince: at, warned: 0 } : {}),
    ...(isAhead(before.lastFailureAt, nowMs - hourMs) ? {} : { lastFailureAt: at }),
  };
  const next = atItsEnd(paused(counted, failure, circumstances), circumstances);
  return isSame(before, next) ? before : next;
}

/** A pause that would be longer by less is long enough: many answers of one moment ask for the same. */
const worthMs = 1_000;

/** Whether a pause begins, goes on for longer, or ends. */
function paused(before: Health, failure: Failure, { policy, nowMs }: Circumstances): Health {
  const { pause, failures, failingSince } = before;
  const { circuitBreaker } = policy;
  const { pauseSeconds, maximumPauseSeconds } = circuitBreaker ?? { pauseSeconds: 0, maximumPauseSeconds: 0 };
  // A pause that began without a breaker has no length of its own.
  const seconds = Math.max(pause?.seconds ?? 0, Math.min(pauseSeconds, maximumPauseSeconds));
  if (failure.retryAfterMs > 0) {
    const askedMs = nowMs + failure.retryAfterMs;
    // A lease is no wish of the receiver's: a probe's answer takes its place.
    if (!failure.isProbe && isAhead(pause?.until, askedMs - worthMs)) return before;
    return pausedUntil(before, { untilMs: askedMs, askedMs, seconds, cause: 'retry_after' }, nowMs);
  }
  if (pause !== undefined) {
    if (!failure.isProbe) return before;
    if (circuitBreaker === null) return back(before, nowMs);
    const longer = Math.min(circuitBreaker.maximumPauseSeconds, seconds * 2);
    return pausedUntil(before, { untilMs: nowMs + longer * 1000, seconds: longer, cause: 'failures' }, nowMs);
  }
  if (circuitBreaker === null || failures < circuitBreaker.failures) return before;
  if (isAhead(failingSince, nowMs - circuitBreaker.withoutSuccessSeconds * 1000)) return before;
  return pausedUntil(before, { untilMs: nowMs + seconds * 1000, seconds, cause: 'failures' }, nowMs);
}

interface Wait {
  readonly untilMs: number;
  readonly askedMs?: number;
  readonly seconds: number;
  readonly cause: 'failures' | 'retry_after' | 'own_fault';
}

function pausedUntil(before: Health, { untilMs, askedMs = 0, seconds, cause }: Wait, nowMs: number): Health {
  const at = isoTime(nowMs);
  const askedUntilMs = Math.max(askedMs, Date.parse(before.pause?.asked ?? at));
  const until = isoTime(Math.max(untilMs, askedUntilMs));
  const asked = askedUntilMs > nowMs ? isoTime(askedUntilMs) : undefined;
  const pause = { since: before.pause?.since ?? at, until, seconds, cause, asked };
  const isNew = before.pause === undefined;
  const unsaid = isNew
    ? addNotice(before.unsaid, { kind: 'paused', at, reason: cause, until })
    : before.unsaid;
  return { ...before, backSince: undefined, pause, unsaid };
}

const warnings = [0.75, 0.5];

/** Warns at half and at three quarters of the time that the policy allows for nothing but failure, then switches off. */
function atItsEnd(before: Health, { policy, nowMs }: Circumstances): Health {
  const { disableAfterHours } = policy;
  if (disableAfterHours === null || before.failingSince === undefined) return before;
  const sinceMs = Math.max(
    Date.parse(before.failingSince),
    Date.parse(before.graceUntil ?? before.failingSince),
  );
  const part = (nowMs - sinceMs) / (disableAfterHours * hourMs);
  if (part >= 1) return switchedOff(before, 'failing', nowMs);
  const due = warnings.find((warning) => part >= warning) ?? 0;
  if (due <= before.warned) return before;
  const until = isoTime(sinceMs + disableAfterHours * hourMs);
  return {
    ...before,
    warned: due,
    unsaid: addNotice(before.unsaid, { kind: 'failing', at: isoTime(nowMs), until }),
  };
}

function switchedOff(before: Health, reason: 'gone' | 'failing', nowMs: number): Health {
  const at = isoTime(nowMs);
  return {
    ...before,
    pause: undefined,
    backSince: undefined,
    off: { at, reason },
    // What waits for it ends now, too.
    backlog: wantedNow(before.backlog, nowMs),
    unsaid: addNotice(before.unsaid, { kind: 'disabled', at, reason }),
  };
}

function isSame(before: Health, after: Health): boolean {
  return (
    before.failures === after.failures &&
    before.failingSince === after.failingSince &&
    before.lastFailureAt === after.lastFailureAt &&
    before.pause === after.pause &&
    before.unsaid === after.unsaid &&
    before.off === after.off
  );
}
