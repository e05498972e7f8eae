import { unpackBody } from '../event/body.ts';
import { effectivePolicy } from '../organization/policy.ts';
import type { Verdict } from '../shared/batch.ts';
import { expiryOf, isoTime } from '../shared/time.ts';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { TargetRules } from '../endpoint/target.ts';
import type { Post, PostResult } from './answer.ts';
import { classify } from './classify.ts';
import type { Outcome } from './classify.ts';
import type { Job } from './decide.ts';
import { attemptOf, keepResponseBytes } from './attempt-record.ts';
import { attemptsKeptMax } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import { follow } from './follow.ts';
import { hold } from './hold.ts';
import type { HoldPorts } from './hold.ts';
import type { Prepared, Unsigned } from './prepare.ts';

export interface AttemptPorts extends HoldPorts {
  readonly prepare: (endpoint: Endpoint, unsigned: Unsigned) => Promise<Prepared>;
  readonly post: Post;
  readonly record: (after: Delivery) => Promise<'recorded' | 'superseded'>;
  readonly targetRules: TargetRules;
  readonly retentionDays: number;
}

/** Time to record an outcome and to send what follows, when the answer came at the last moment. */
const settleMs = 5_000;

/**
 * One attempt: sign, post, record, and send what follows, in this order. A crash anywhere repeats a request at
 * worst and loses nothing (failures.md, section 1).
 */
export async function attempt(ports: AttemptPorts, job: Job, remainingMs: number): Promise<Verdict> {
  const policy = effectivePolicy(job.endpoint.policy, job.organization.policy);
  const timeoutMs = policy.timeoutSeconds * 1000;
  // Nothing has begun, so the message may come back for another invocation.
  if (remainingMs < timeoutMs + settleMs) return 'failed';

  const startedMs = ports.now();
  let request: Prepared & { readonly body: Uint8Array };
  try {
    request = await prepared(ports, job);
  } catch (fault) {
    return hold(ports, job.message, { code: 'signing_unavailable', fault });
  }
  const { url, keepResponse } = job.endpoint;
  const result = await ports.post({
    ...request,
    url,
    timeoutMs,
    rules: ports.targetRules,
    ...(keepResponse ? { keepResponseBytes } : {}),
  });
  const outcome = classify(result.answer, {
    policy: policy.retry,
    attemptOfRound: job.message.attempt - roundStartOf(job),
    chance: ports.random(),
    nowMs: ports.now(),
  });
  const after = settled(ports, job, { outcome, result, startedMs });
  logAttempt(ports, job, { outcome, result, bytes: request.body.length });
  if ((await ports.record(after)) === 'recorded') await follow(ports, after);
  return 'done';
}

async function prepared(ports: AttemptPorts, { message, endpoint, event }: Job) {
  if (event.body === undefined) throw new Error('an accepted event has a body');
  const body = unpackBody(event.body);
  const attemptId = `${event.id}-${message.attempt}`;
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
