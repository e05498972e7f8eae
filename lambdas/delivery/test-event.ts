import { z } from 'zod';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { TargetRules } from '../endpoint/target.ts';
import { testEventType } from '../event/catalogue.ts';
import { bodyOf } from '../event/event.ts';
import type { Organization } from '../organization/organization.ts';
import { effectivePolicy } from '../organization/policy.ts';
import type { EffectivePolicy } from '../organization/policy.ts';
import { TooMany } from '../shared/errors.ts';
import type { RandomBytes } from '../shared/identifier.ts';
import type { Log } from '../shared/log.ts';
import { expiryOf, isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { ulid } from '../shared/ulid.ts';
import type { Post, PostResult } from '../request/answer.ts';
import { attemptOf, keepResponseBytes } from './attempt-record.ts';
import type { Attempt } from './attempt-record.ts';
import type { Delivery } from './delivery.ts';
import { describeFailure } from '../request/failure-text.ts';
import { failureOfStatus, isSuccess } from '../request/failure.ts';
import type { Failure, FailureCode } from '../request/failure.ts';
import { phaseName } from '../request/phases.ts';
import type { Prepared, Unsigned } from '../request/prepare.ts';

export interface TestEventPorts {
  /** Counts a test of an endpoint; false when it has had as many as it may in this minute. */
  readonly countTest: (endpointId: string) => Promise<boolean>;
  readonly prepare: (endpoint: Endpoint, unsigned: Unsigned) => Promise<Prepared>;
  readonly post: Post;
  readonly record: (after: Delivery) => Promise<unknown>;
  readonly circumstances: {
    readonly now: Now;
    readonly randomBytes: RandomBytes;
    readonly targetRules: TargetRules;
    readonly retentionDays: number;
    readonly log: Log;
  };
}

const phase = z.object({
  name: phaseName,
  ms: z.number(),
  ok: z.boolean(),
  version: z.string().optional(),
  cipher: z.string().optional(),
  certificate: z.object({ subject: z.string(), issuer: z.string(), validTo: z.string() }).optional(),
  clientCertificateRequested: z.boolean().optional(),
  clientCertificateGiven: z.boolean().optional(),
});

/** What a test event showed, step by step. */
export const diagnosis = z.strictObject({
  eventId: z.string(),
  outcome: z.enum(['delivered', 'failed']),
  /** What went wrong; absent on success. */
  code: z.string().optional(),
  statusCode: z.number().optional(),
  /** One sentence: what happened. */
  message: z.string(),
  /** One sentence: what to do about it; absent on success. */
  advice: z.string().optional(),
  durationMs: z.number(),
  /** The step that failed; absent when an answer came, whatever it was. */
  stoppedAt: phase.shape.name.optional(),
  phases: z.array(phase),
  responseBody: z.string().optional(),
});

export type Diagnosis = z.output<typeof diagnosis>;

/** API Gateway waits for 30 s: an answer that comes later reaches nobody. */
const timeoutMsMax = 20_000;

/**
 * Sends one `webhook.test` event to an endpoint now, by the same path as every delivery, and says what happened. It
 * works on an endpoint that is switched off, too, and is never tried again.
 *
 * @throws TooMany `too_many_tests`
 */
export async function sendTestEvent(
  ports: TestEventPorts,
  organization: Organization,
  endpoint: Endpoint,
): Promise<Diagnosis> {
  if (!(await ports.countTest(endpoint.id))) {
    throw new TooMany(
      'too_many_tests',
      `An endpoint can be tested ${testsPerMinute} times a minute.`,
      60 - Math.floor((ports.circumstances.now() / 1000) % 60),
    );
  }
  const { now, randomBytes, targetRules } = ports.circumstances;
  const startedMs = now();
  const webhookId = `evt_${ulid(startedMs, randomBytes())}`;
  const body = bodyOf({
    id: webhookId,
    type: testEventType,
    timestamp: isoTime(startedMs),
    organizationId: organization.id,
    resource: undefined,
    dataText: JSON.stringify({ message: 'Hello from Tidings' }),
  });
  const policy = effectivePolicy(endpoint.policy, organization.policy);
  const result = await ports.post({
    ...(await ports.prepare(endpoint, { webhookId, body, attemptId: `${webhookId}-test` })),
    url: endpoint.url,
    body,
    timeoutMs: Math.min(timeoutMsMax, policy.timeoutSeconds * 1000),
    rules: targetRules,
    ...(endpoint.keepResponse ? { keepResponseBytes } : {}),
  });
  const found = diagnose(webhookId, result, policy);
  const attempt = attemptOf({ number: 1, round: 1, trigger: 'test', startedMs }, verdictOf(found), result);
  await ports.record(historyOf(ports, endpoint, { webhookId, attempt }));
  logTest(ports, endpoint, found);
  return found;
}

/** Enough for somebody who tries; too few to use us against a receiver. */
export const testsPerMinute = 10;

function diagnose(
  eventId: string,
  { answer, durationMs, phases }: PostResult,
  policy: EffectivePolicy,
): Diagnosis {
  const code = codeOf(answer);
  const text =
    code === undefined ? { message: 'The receiver took the event.' } : describeFailure(code, factsOf(answer));
  return diagnosis.parse({
    eventId,
    outcome: code === undefined ? 'delivered' : 'failed',
    code,
    ...text,
    ...(isCut(answer, policy) ? { advice: adviceOfCut } : {}),
    statusCode: answer.kind === 'response' ? answer.status : undefined,
    durationMs: Math.round(durationMs),
    stoppedAt: phases.find(({ ok }) => !ok)?.name,
    phases: [...phases],
    responseBody: answer.kind === 'response' ? answer.body : undefined,
  });
}

/** Whether the test gave up before a delivery would have. */
function isCut(
  answer: PostResult['answer'],
  { timeoutSeconds }: Pick<EffectivePolicy, 'timeoutSeconds'>,
): boolean {
  const limitMs = answer.kind === 'failure' ? answer.limitMs : undefined;
  return limitMs === timeoutMsMax && timeoutMsMax < timeoutSeconds * 1000;
}

const adviceOfCut =
  'A test waits 20 s at most, whatever timeoutSeconds says; answer with a 2xx status at once and do the work afterwards.';

function factsOf(answer: PostResult['answer']): Pick<Failure, 'cause' | 'limitMs'> {
  return answer.kind === 'failure' ? answer : {};
}

function codeOf(answer: PostResult['answer']): FailureCode | undefined {
  if (answer.kind === 'failure') return answer.code;
  return isSuccess(answer.status) ? undefined : failureOfStatus(answer.status);
}

function verdictOf({ outcome, code, statusCode }: Diagnosis) {
  return { kind: outcome, statusCode, ...(code === undefined ? {} : { code }) };
}

function historyOf(
  { circumstances }: TestEventPorts,
  { organizationId, id }: Endpoint,
  { webhookId, attempt }: { webhookId: string; attempt: Attempt },
): Delivery {
  const nowMs = circumstances.now();
  return {
    organizationId,
    endpointId: id,
    eventId: webhookId,
    eventType: testEventType,
    status: attempt.outcome === 'delivered' ? 'delivered' : 'failed',
    round: 1,
    roundStart: 0,
    attemptCount: 1,
    attempts: [attempt],
    ...(attempt.code === undefined ? {} : { lastError: attempt.code }),
    updatedAt: isoTime(nowMs),
    expiresAt: expiryOf(nowMs, circumstances.retentionDays),
  };
}

function logTest({ circumstances }: TestEventPorts, endpoint: Endpoint, found: Diagnosis): void {
  const { eventId, outcome, code, statusCode, durationMs, stoppedAt } = found;
  const { organizationId, id: endpointId } = endpoint;
  circumstances.log('endpoint.tested', {
    ...{ organizationId, endpointId, eventId, outcome, code, statusCode, durationMs, stoppedAt },
  });
}
