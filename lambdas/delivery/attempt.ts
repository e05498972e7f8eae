import { unpackBody } from '../event/body.ts';
import type { Verdict } from '../shared/batch.ts';
import { expiryOf, isoTime } from '../shared/time.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { slowMs } from '../endpoint/health/observe.ts';
import type { TargetRules } from '../endpoint/target.ts';
import type { Post, PostResult } from '../request/answer.ts';
import { classify, observationOf } from './classify.ts';
import type { Outcome } from './classify.ts';
import type { Job, Known } from './decide.ts';
import { attemptOf, keepResponseBytes } from './attempt-record.ts';
import { attemptsKeptMax } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import { follow } from './follow.ts';
import type { FollowPorts } from './follow.ts';
import { hold } from './hold.ts';
import type { HoldPorts } from './hold.ts';
import type { DeliveryMessage } from './message.ts';
import { note, noteSlow } from './note.ts';
import type { NotePorts } from './note.ts';
import type { Prepared, Unsigned } from '../request/prepare.ts';

export interface AttemptPorts extends HoldPorts, FollowPorts, NotePorts {
  readonly readKnown: (message: DeliveryMessage) => Promise<Known>;
  readonly prepare: (endpoint: Endpoint, unsigned: Unsigned) => Promise<Prepared>;
  readonly post: Post;
  readonly newId: () => string;
  readonly record: (after: Delivery) => Promise<'recorded' | 'superseded'>;
  readonly targetRules: TargetRules;
  readonly retentionDays: number;
}

/** Time to record an outcome and to send what follows, when the answer came at the last moment. */
const settleMs = 5_000;

/** Whether an attempt that begins now can be recorded and followed before the function's time is up. */
export function hasTime({ policy }: Job, remainingMs: number): boolean {
  return remainingMs >= policy.timeoutSeconds * 1000 + settleMs;
}

/**
 * One attempt: sign, post, record, and send what follows, in this order. A crash anywhere repeats a request at
 * worst and loses nothing (failures.md, section 1).
 *
 * @param isProbe whether it holds the lease of its endpoint's breaker
 */
export async function attempt(ports: AttemptPorts, job: Job, isProbe: boolean): Promise<Verdict> {
  const { endpoint, policy, message } = job;
  const startedMs = ports.now();
  let request: Prepared & { readonly body: Uint8Array };
  try {
    request = await prepared(ports, job);
  } catch (fault) {
    return hold(ports, message, { code: 'signing_unavailable', fault });
  }
  const result = await ports.post({
    ...request,
    url: endpoint.url,
    timeoutMs: policy.timeoutSeconds * 1000,
    rules: ports.targetRules,
    slow: { afterMs: slowMs, tell: () => void noteSlow(ports, endpoint) },
    ...(endpoint.keepResponse ? { keepResponseBytes } : {}),
  });
  const nowMs = ports.now();
  const outcome = classify(result.answer, {
    policy: policy.retry,
    attemptOfRound: message.attempt - roundStartOf(job),
    chance: ports.random(),
    nowMs,
  });
  logAttempt(ports, job, { outcome, result, bytes: request.body.length });
  const { after, isOwn } = await recorded(ports, job, { outcome, result, startedMs });
  const { durationMs } = result;
  const isSaid = await note(ports, job, { ...observationOf(result.answer, nowMs), isProbe, durationMs });
  if (isOwn) await followOrHold(ports, message, after);
  // Should the copy that has recorded it die before it has sent what follows, nobody else would come back for it.
  else if (isNumbered(after, message)) await follow(ports, after, safetyMs);
  // Nobody may ever come for an endpoint that is switched off: this copy comes once more, and has it said.
  return isSaid ? 'done' : hold(ports, message, { code: 'bus_unavailable', fault: undefined });
}

/** Sends what follows a record; while the bus does not take what must be said, it is put off. */
export async function followOrHold(
  ports: HoldPorts & FollowPorts,
  message: DeliveryMessage,
  delivery: Delivery,
): Promise<'done'> {
  try {
    await follow(ports, delivery);
    return 'done';
  } catch (fault) {
    return hold(ports, { ...message, again: true }, { code: 'bus_unavailable', fault });
  }
}

/** Longer than it takes a copy to send what follows its record. */
const safetyMs = 60_000;

type Recorded =
  | { readonly isOwn: true; readonly after: Delivery }
  /** What another attempt has written; `undefined` when it has been forgotten. */
  | { readonly isOwn: false; readonly after: Delivery | undefined };

/**
 * Records what became of an attempt. Another one may have taken its number meanwhile: one of a round before, which was
 * under way when this round was asked for. Then this one gets the next number.
 */
async function recorded(ports: AttemptPorts, job: Job, settlement: Settlement): Promise<Recorded> {
  const after = settled(ports, job, settlement);
  if ((await ports.record(after)) === 'recorded') return { after, isOwn: true };
  const { message } = job;
  const { delivery } = await ports.readKnown(message);
  if (delivery === undefined || delivery.round >= message.round) return { after: delivery, isOwn: false };
  const renumbered = { ...message, attempt: delivery.attemptCount + 1 };
  return recorded(ports, { ...job, delivery, message: renumbered }, settlement);
}

function isNumbered(
  delivery: Delivery | undefined,
  { round, attempt }: DeliveryMessage,
): delivery is Delivery {
  return delivery?.round === round && delivery.attemptCount === attempt;
}

async function prepared(ports: AttemptPorts, { endpoint, event }: Job) {
  if (event.body === undefined) throw new Error('an accepted event has a body');
  const body = unpackBody(event.body);
  // After a crash the same attempt makes a second request: a token's id is for one alone (RFC 7519, section 4.1.7).
  const attemptId = ports.newId();
  return { body, ...(await ports.prepare(endpoint, { webhookId: event.id, body, attemptId })) };
}

interface Settlement {
  readonly outcome: Outcome;
  readonly result: PostResult;
  readonly startedMs: number;
}

/** How many attempts there had been when this one's round began. */
function roundStartOf({ message, delivery }: Job): number {
  return delivery?.round === message.round ? delivery.roundStart : message.attempt - 1;
}

const statusOf = { delivered: 'delivered', retry: 'retrying', dead: 'dead' } as const;

/** The delivery after an attempt. */
function settled(ports: AttemptPorts, job: Job, { outcome, result, startedMs }: Settlement): Delivery {
  const { organizationId, endpointId, eventId, eventType, round, attempt: number, trigger } = job.message;
  const nowMs = ports.now();
  const made = attemptOf({ number, round, trigger, startedMs }, outcome, result);
  return {
    organizationId,
    endpointId,
    eventId,
    eventType,
    status: statusOf[outcome.kind],
    round,
    roundStart: roundStartOf(job),
    attemptCount: number,
    attempts: [...(job.delivery?.attempts ?? []), made].slice(-attemptsKeptMax),
    ...(outcome.kind === 'delivered' ? {} : { lastError: outcome.code }),
    ...(outcome.kind === 'retry' ? { nextAttemptAt: isoTime(nowMs + outcome.waitMs) } : {}),
    updatedAt: isoTime(nowMs),
    expiresAt: expiryOf(nowMs, ports.retentionDays),
  };
}

function logAttempt(
  { log }: AttemptPorts,
  { message }: Job,
  { outcome, result, bytes }: { outcome: Outcome; result: PostResult; bytes: number },
): void {
  const { organizationId, endpointId, eventId, eventType, attempt: number, round, trigger } = message;
  log('delivery.attempted', {
    organizationId,
    endpointId,
    eventId,
    eventType,
    attempt: number,
    round,
    trigger,
    outcome: outcome.kind,
    code: outcome.kind === 'delivered' ? undefined : outcome.code,
    statusCode: outcome.statusCode,
    durationMs: Math.round(result.durationMs),
    bytes,
  });
}
