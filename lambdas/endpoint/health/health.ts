import { z } from 'zod';
import { isoTime, shownTime } from '../../shared/time.ts';
import { backlog, wantedNow } from './backlog.ts';

/** What a person must know of an endpoint; goes out on the bus as `endpoint.<kind>`. */
export const notice = z.object({
  kind: z.enum(['paused', 'resumed', 'failing', 'disabled']),
  at: z.string(),
  reason: z.string().exactOptional(),
  /** Until when it is paused, or when it will be switched off if it goes on failing. */
  until: z.string().exactOptional(),
});

/**
 * What we have observed of an endpoint, in the ledger; what people decided of it is in the configuration. Changed
 * only by a write that has read the latest version, so that of many workers that see the same, one acts.
 */
export const health = z.object({
  /** 0 for an endpoint of which nothing is known. */
  version: z.number().int(),
  /** Whose endpoint it is; there as soon as somebody must come for it. */
  organizationId: z.string().optional(),
  /** In a row, counted up to the breaker's threshold; an answer that asks for patience counts half. */
  failures: z.number(),
  failingSince: z.string().optional(),
  /** To the hour: it is not worth a write each time. */
  lastFailureAt: z.string().optional(),
  /** The part of the time until it is switched off of which its owner has been warned last; 0 for none. */
  warned: z.number(),
  /** The breaker is open; from `until` on it is half-open, and one probe may go. */
  pause: z
    .object({
      since: z.string(),
      until: z.string(),
      /** How long the breaker's own pause is by now. */
      seconds: z.number(),
      /** `own_fault`: we could not sign for it, for long; the receiver has done nothing. */
      cause: z.enum(['failures', 'retry_after', 'own_fault']),
      /** Until when the receiver has asked for patience; a lease or a pause of ours does not end it sooner. */
      asked: z.string().optional(),
      /** A probe is under way, and `until` is the end of its lease. */
      probing: z.literal(true).optional(),
    })
    .optional(),
  /** Switched off by us. */
  off: z.object({ at: z.string(), reason: z.enum(['gone', 'failing']) }).optional(),
  /** A person has switched it on: until then it is not switched off for failing. */
  graceUntil: z.string().optional(),
  /** When it came back; what has waited is let go at a growing pace from then on. */
  backSince: z.string().optional(),
  /** It takes long to answer: so long, as it was last seen to; while it has not answered, its whole timeout. */
  slow: z.object({ ms: z.number().positive(), at: z.string() }).optional(),
  /** Deliveries wait for it as rows. */
  backlog: backlog.optional(),
  /** Not yet on the bus, or not yet known to be. */
  unsaid: z.array(notice),
  /** Until then the worker that wrote it is saying it. */
  sayAfter: z.string().optional(),
  /** Epoch seconds: its endpoint is no more. Whoever writes it anew, because his attempt ends late, keeps that. */
  expiresAt: z.number().optional(),
});

/** What a caller sees of it. */
export const shownHealth = z
  .strictObject({
    state: z.enum(['ok', 'failing', 'paused', 'disabled']).meta({ id: 'HealthState' }),
    failingSince: shownTime.exactOptional(),
    pausedUntil: shownTime.exactOptional(),
    disabledAt: shownTime.exactOptional(),
    /** Why it is paused or disabled. */
    reason: z.string().exactOptional(),
  })
  .meta({ id: 'EndpointHealth' });

export function showHealth({ off, pause, failingSince }: Health): z.output<typeof shownHealth> {
  const failing = failingSince === undefined ? {} : { failingSince };
  if (off !== undefined) return { state: 'disabled', ...failing, disabledAt: off.at, reason: off.reason };
  if (pause !== undefined)
    return { state: 'paused', ...failing, pausedUntil: pause.until, reason: pause.cause };
  return { state: failingSince === undefined ? 'ok' : 'failing', ...failing };
}

export type Health = z.output<typeof health>;
export type Notice = z.output<typeof notice>;

/** An endpoint that nothing is wrong with. */
export const well: Health = { version: 0, failures: 0, warned: 0, unsaid: [] };

/** Whether a moment lies ahead; one that is not there has passed. */
export function isAhead(time: string | undefined, nowMs: number): boolean {
  return time !== undefined && Date.parse(time) > nowMs;
}

/** A day of pauses that could not be said makes no item that is dear to write: a notice takes 100 bytes. */
const unsaidMax = 10;

/**
 * What is unsaid, with one notice more. While the bus is down the oldest go that a later one of their kind has
 * overtaken. What is lost by it nobody needs: pauses, their ends, and warnings that were over, or were repeated with a
 * later date, before anybody could be told. The latest of each kind stays, so how the endpoint stands will be said.
 */
export function addNotice(unsaid: readonly Notice[], next: Notice): Notice[] {
  const all = [...unsaid, next];
  const isOvertaken = ({ kind }: Notice, index: number) =>
    all.findLastIndex((one) => one.kind === kind) > index;
  // Kinds are fewer than ten, so enough of them are overtaken.
  const gone = new Set(all.filter(isOvertaken).slice(0, Math.max(0, all.length - unsaidMax)));
  return all.filter((one) => !gone.has(one));
}

export type Admission =
  | { readonly kind: 'go' }
  /** Whoever takes the lease may try whether the endpoint is back. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'wait'; readonly untilMs: number };

/** Whether an attempt may be made now, as far as the breaker is concerned. */
export function admission({ pause }: Pick<Health, 'pause'>, nowMs: number): Admission {
  if (pause === undefined) return { kind: 'go' };
  const untilMs = Date.parse(pause.until);
  return untilMs <= nowMs ? { kind: 'probe' } : { kind: 'wait', untilMs };
}

/** Longer than a function can take for an attempt (60 s): a probe whose function died is tried again after it. */
const leaseMs = 75_000;

/** The health while a probe is under way: for all others the pause goes on. */
export function leased(before: Health, nowMs: number): Health {
  if (before.pause === undefined) return before;
  return { ...before, pause: { ...before.pause, until: isoTime(nowMs + leaseMs), probing: true } };
}

const graceMs = 86_400_000;

/** The health after a person has switched an endpoint on, or has ended its pause. */
export function resumed(before: Health, nowMs: number): Health {
  const at = isoTime(nowMs);
  const wasStopped = before.off !== undefined || before.pause !== undefined;
  const { version, organizationId, expiresAt, backSince, slow } = before;
  return {
    ...well,
    ...{ version, organizationId, expiresAt },
    graceUntil: isoTime(nowMs + graceMs),
    backlog: wantedNow(before.backlog, nowMs),
    // Who clicks twice does not end the ramp that the first click began.
    ...(wasStopped ? { backSince: at } : { backSince, slow }),
    unsaid: wasStopped ? addNotice(before.unsaid, { kind: 'resumed', at, reason: 'by_hand' }) : before.unsaid,
  };
}
