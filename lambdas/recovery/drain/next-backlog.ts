import type { Backlog } from '../../endpoint/health/backlog.ts';
import { delaySecondsMax } from '../../delivery/message.ts';
import { isoTime } from '../../shared/time.ts';
import { stepMs } from './plan.ts';

/** What a step has done. */
export type Step =
  | { readonly kind: 'waits'; readonly backlog: Backlog; readonly untilMs: number }
  | {
      readonly kind: 'sent';
      readonly backlog: Backlog;
      /** Rows that this pass had sent before, and that are still there. */
      readonly onTheirWay: number;
      readonly sent: number;
      /** The last place that was looked at. */
      readonly through: string | undefined;
      /** Whether so many were on their way that nothing was looked for. */
      readonly isFull: boolean;
      readonly isProbing: boolean;
      readonly pace: { readonly spacingMs: number; readonly fromMs: number } | undefined;
    };

/** The backlog after a step, nothing when there is none any more; and when the next step is. */
export interface Next {
  readonly backlog: Backlog | undefined;
  readonly untilMs: number;
}

/** Between two looks at what is on its way, or at whether a probe was made. */
const lookMs = 30_000;
const probeLookMs = 5_000;
const freeStepMs = 1_000;

/** A message on its way takes so long at most, unless it was lost; after each pass that left something twice as long. */
const patienceMs = 900_000;
const probePatienceMs = 60_000;
const doublingsMax = 4;

/**
 * How long the index must have been empty: longer than it is behind, than functions remember that there is a backlog
 * (5 s), and than one of them takes to park what it has met. Who parks later than that says so in the health.
 */
export const settleMs = 60_000;

/** Most of what is parked as a backlog ends is parked by then: behind a row that was still young, or on an old health. */
const emptyLookMs = 8_000;

/** What follows from a step. */
export function nextBacklog(step: Step, nowMs: number): Next {
  if (step.kind === 'waits') return until(step.backlog, step.untilMs, nowMs);
  const { sent, onTheirWay } = step;
  if (sent > 0) return afterSending(step, nowMs);
  // What is past its time was passed over.
  const { through = step.backlog.through } = step;
  const backlog = { ...step.backlog, ...(through === undefined ? {} : { through }) };
  if (onTheirWay > 0) return afterWaiting({ ...step, backlog }, nowMs);
  // Looked through, and nothing of what was sent is left.
  const emptyMs = backlog.emptyAt === undefined ? nowMs : Date.parse(backlog.emptyAt);
  if (nowMs - emptyMs >= settleMs) return { backlog: undefined, untilMs: nowMs };
  const nextMs = backlog.emptyAt === undefined ? nowMs + emptyLookMs : emptyMs + settleMs;
  return until({ ...backlog, emptyAt: isoTime(emptyMs) }, nextMs, nowMs);
}

function afterSending(
  { backlog, sent, through, pace, isProbing }: Extract<Step, { kind: 'sent' }>,
  nowMs: number,
) {
  const { emptyAt, ...rest } = backlog;
  const clock = pace === undefined ? {} : { clock: isoTime(Math.floor(pace.fromMs + sent * pace.spacingMs)) };
  const after = { ...rest, ...clock, sentAt: isoTime(nowMs), ...(through === undefined ? {} : { through }) };
  const waitMs = isProbing ? probeLookMs : pace === undefined ? freeStepMs : stepMs;
  return until(after, nowMs + waitMs, nowMs);
}

/** Nothing more to send: what is on its way is waited for, and begun anew when that takes too long. */
function afterWaiting({ backlog, isFull, isProbing }: Extract<Step, { kind: 'sent' }>, nowMs: number): Next {
  const { sentAt = isoTime(nowMs), leftovers = 0, gate, through, ...rest } = backlog;
  const doublings = Math.min(doublingsMax, leftovers);
  const endMs = Date.parse(sentAt) + (isProbing ? probePatienceMs : patienceMs * 2 ** doublings);
  if (nowMs < endMs) {
    const waitMs = isProbing || isFull ? probeLookMs : lookMs;
    return until({ ...backlog, sentAt }, Math.min(endMs, nowMs + waitMs), nowMs);
  }
  const again = {
    ...rest,
    pass: passOf(rest.turn),
    leftovers: leftovers + 1,
    ...(gate === undefined ? {} : { gate }),
  };
  return until(again, nowMs, nowMs);
}

/**
 * The number of a pass that begins in a step. Each step has a number of its own, so two that overlap do not send under
 * one number: what the earlier one sends is dropped.
 */
export function passOf(turn: number): number {
  return turn + 1;
}

/** Somebody comes for it at a time: by a message, and should that be lost, a little later all the same. */
function until(backlog: Backlog, untilMs: number, nowMs: number): Next {
  const isByMessage = untilMs - nowMs <= delaySecondsMax * 1000;
  const dueAt = isByMessage ? watchedUntil(backlog.dueAt, Math.max(nowMs, untilMs)) : isoTime(untilMs);
  return { backlog: { ...backlog, dueAt }, untilMs };
}

const watchMs = 180_000;

/**
 * By when somebody looks after a step that should be made at a time, should its message be lost. Seldom another time
 * than before, since each costs two writes of an index.
 */
export function watchedUntil(dueAt: string, stepMs: number): string {
  const dueMs = Date.parse(dueAt);
  const isSoonAfter = dueMs > stepMs + 30_000 && dueMs <= stepMs + watchMs;
  return isSoonAfter ? dueAt : isoTime(stepMs + watchMs);
}
