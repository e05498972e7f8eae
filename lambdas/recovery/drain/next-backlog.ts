import type { Backlog } from '../../endpoint/health/backlog.ts';
import { delaySecondsMax } from '../../delivery/message.ts';
import { isoTime } from '../../shared/time.ts';
import { freeMax, stepMs } from './plan.ts';

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
      /** Whether there was nothing more to send. */
      readonly isEnd: boolean;
      readonly isProbing: boolean;
      /** Whether a row is left of those before the mark, after all patience. */
      readonly isLeft: boolean;
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

/**
 * Looks before that: what was too young to be found when the index seemed empty, and then what was parked by those who
 * remembered that there is a backlog, need not wait for the last one.
 */
const looksMs = [5_000, 10_000, settleMs];

type Sent = Extract<Step, { kind: 'sent' }>;

/** What follows from a step. */
export function nextBacklog(step: Step, nowMs: number): Next {
  if (step.kind === 'waits') return until(step.backlog, step.untilMs, nowMs);
  const { sent, onTheirWay, through = step.backlog.through } = step;
  // What is past its time was passed over.
  const backlog = through === undefined ? step.backlog : { ...step.backlog, through };
  if (onTheirWay > 0 && isLeftOver({ ...step, backlog }, nowMs)) return again(backlog, nowMs);
  if (sent > 0) return afterSending({ ...step, backlog }, nowMs);
  if (onTheirWay > 0) return afterWaiting({ ...step, backlog }, nowMs);
  // Looked through, and nothing of what was sent is left.
  const emptyMs = backlog.emptyAt === undefined ? nowMs : Date.parse(backlog.emptyAt);
  if (nowMs - emptyMs >= settleMs) return { backlog: undefined, untilMs: nowMs };
  const nextMs = looksMs.map((ms) => emptyMs + ms).find((ms) => ms > nowMs) ?? nowMs;
  return until({ ...backlog, emptyAt: isoTime(emptyMs) }, nextMs, nowMs);
}

/**
 * Whether something of this pass has been on its way for longer than a message takes: it was lost, or its row came late
 * into the index. With steady traffic there is always more to send, so then the mark tells.
 */
function isLeftOver({ backlog, isProbing, sent, isLeft }: Sent, nowMs: number): boolean {
  return isLeft || ((isProbing || sent === 0) && nowMs >= patientUntil({ backlog, isProbing }, nowMs));
}

function patientUntil({ backlog, isProbing }: Pick<Sent, 'backlog' | 'isProbing'>, nowMs: number): number {
  const sentMs = Date.parse(backlog.sentAt ?? isoTime(nowMs));
  return sentMs + (isProbing ? probePatienceMs : patienceOf(backlog));
}

function patienceOf({ leftovers = 0 }: Backlog): number {
  return patienceMs * 2 ** Math.min(doublingsMax, leftovers);
}

/** The mark of a pass when its time has come: no row before it is still there, unless something was lost. */
export function dueMark(backlog: Backlog, nowMs: number): string | undefined {
  const { mark } = backlog;
  return mark !== undefined && nowMs >= Date.parse(mark.at) + patienceOf(backlog) ? mark.through : undefined;
}

function again({ gate, turn, leftovers = 0, clock, dueAt }: Backlog, nowMs: number): Next {
  const next = {
    ...{ turn, pass: passOf(turn), leftovers: leftovers + 1, dueAt },
    ...(gate === undefined ? {} : { gate }),
    ...(clock === undefined ? {} : { clock }),
  };
  return until(next, nowMs, nowMs);
}

/**
 * When a step has found the end, what is fresh need not wait behind rows any more: only functions that have not heard
 * of it yet park some more, for seconds, and those are sent, too.
 */
function afterSending({ backlog, sent, pace, isProbing, isEnd }: Sent, nowMs: number): Next {
  const emptyAt = backlog.emptyAt ?? (isEnd && !isProbing ? isoTime(nowMs) : undefined);
  const paidMs = pace === undefined ? nowMs : Math.floor(pace.fromMs + sent * pace.spacingMs);
  const { clock, ...unpaced } = marked(backlog, nowMs);
  const after = {
    ...unpaced,
    sentAt: isoTime(nowMs),
    ...(emptyAt === undefined ? {} : { emptyAt }),
    // What had nothing to send is not late, nor is what was sent as fast as it goes.
    ...(pace === undefined ? {} : { clock: isoTime(isEnd ? Math.max(paidMs, nowMs) : paidMs) }),
  };
  const isCut = pace !== undefined && sent >= freeMax;
  const waitMs = isProbing ? probeLookMs : pace === undefined || isCut ? freeStepMs : stepMs;
  return until(after, nowMs + waitMs, nowMs);
}

/** With the next mark, when there is none, or its time has come and nothing was left before it. */
function marked(backlog: Backlog, nowMs: number): Backlog {
  const { mark, through } = backlog;
  const isWanted = mark === undefined || dueMark(backlog, nowMs) !== undefined;
  return isWanted && through !== undefined ? { ...backlog, mark: { through, at: isoTime(nowMs) } } : backlog;
}

/** Nothing more to send: what is on its way is waited for. */
function afterWaiting({ backlog, isFull, isProbing }: Sent, nowMs: number): Next {
  const waitMs = isProbing || isFull ? probeLookMs : lookMs;
  const begun = { ...backlog, sentAt: backlog.sentAt ?? isoTime(nowMs) };
  const endMs = patientUntil({ backlog: begun, isProbing }, nowMs);
  return until(begun, Math.min(endMs, nowMs + waitMs), nowMs);
}

/**
 * The number of a pass that begins in a step. Each step has a number of its own, so what a worker sends that was taken
 * for dead, and is not, does not go by the number of who followed it: it is dropped.
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
