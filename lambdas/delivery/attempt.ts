import type { Endpoint } from '../endpoint/endpoint.ts';
import type { Health } from '../endpoint/health/health.ts';
import type { TargetRules } from '../endpoint/target.ts';
import { unpackBody } from '../event/body.ts';
import type { Post, PostResult } from '../request/answer.ts';
import type { Prepared, Unsigned } from '../request/prepare.ts';
import type { Verdict } from '../shared/batch.ts';
import { isoTime } from '../shared/time.ts';
import type { Versions } from '../shared/versions.ts';
import { attemptOf, keepResponseBytes } from './attempt-record.ts';
import { classify, observationOf } from './classify.ts';
import type { Outcome } from './classify.ts';
import type { Job, Recipient } from './decide.ts';
import { lookAgain } from './discard.ts';
import { hold, lastingFaults } from './hold.ts';
import type { OwnFault } from './hold.ts';
import { note, watchAttempt } from './note.ts';
import type { Ended, WatchPorts } from './note.ts';
import { settle } from './settle.ts';
import type { SettlePorts } from './settle.ts';

export interface AttemptPorts extends SettlePorts, WatchPorts {
  readonly prepare: (endpoint: Endpoint, unsigned: Unsigned) => Promise<Prepared>;
  readonly post: Post;
  readonly targetRules: TargetRules;
  readonly versions: Pick<Versions, 'latest'>;
}

/** The version of its organization's configuration that a job goes by, and when that was looked up. */
export interface Look {
  readonly version: number;
  readonly atMs: number;
}

/** After so long it is looked up once more: a place of the share, or leave of the pace, was waited for. */
const lookedMsMax = 250;

/** Time to record an outcome and to send what follows, each of them one call of AWS that may take ten seconds. */
const settleMs = 20_000;

/** Whether an attempt that begins now can be recorded and followed before the function's time is up. */
export function hasTime({ policy }: Pick<Job, 'policy'>, remainingMs: number): boolean {
  return remainingMs >= policy.timeoutSeconds * 1000 + settleMs;
}

/**
 * One attempt: sign, post, record, and send what follows, in this order. A crash anywhere repeats a request at worst
 * and loses nothing.
 *
 * It holds a place of its endpoint's share (gate.ts), and gives it back.
 *
 * @param isProbe whether it holds the lease of its endpoint's breaker
 * @param health as it was read when it was let in
 */
export async function attempt(
  ports: AttemptPorts,
  job: Job,
  { isProbe, look, health }: { isProbe: boolean; look: Look; health: Health },
): Promise<Verdict> {
  const { message } = job;
  const startedMs = ports.now();
  const request = await readied(ports, job, { isProbe, look });
  if (request === undefined) return 'done';
  const { result, meanMs, uncounted } = await posted(ports, job, { request, health });
  const nowMs = ports.now();
  const isOfOld = await isOfOldUrl(ports, job, result);
  const outcome = classify(result.answer, budgetOf(ports, job, { nowMs, isOfOld }));
  logAttempt(ports, job, { outcome, result, bytes: request.body.length });
  const made = attemptOf(
    { number: message.attempt, round: message.round, trigger: message.trigger, startedMs },
    outcome,
    result,
  );
  const nextAttemptAt = outcome.kind === 'retry' ? { nextAttemptAt: isoTime(nowMs + outcome.waitMs) } : {};
  const attempted = { ...message, outcome: { made, ...nextAttemptAt } };
  const verdict = await settle(ports, attempted, job.delivery);
  const seen = { isProbe, durationMs: meanMs };
  if (!isOfOld) await note(ports, job, { ...observationOf(result.answer, nowMs), ...seen });
  await uncounted;
  return verdict;
}

/**
 * What is sent, signed. Nothing when something of ours does not work, or when the configuration has been changed while
 * that took its time: then the message comes again, and its place is given back.
 */
async function readied(
  ports: AttemptPorts,
  job: Job,
  { isProbe, look }: { isProbe: boolean; look: Look },
): Promise<(Prepared & { readonly body: Uint8Array }) | undefined> {
  const { message } = job;
  let code: OwnFault = 'ledger_unavailable';
  let request: (Prepared & { readonly body: Uint8Array }) | undefined;
  try {
    const body = storedBody(job);
    // Before it is signed: a signature says when it was made, and must not grow old.
    code = 'configuration_unavailable';
    const isAsOfNow =
      ports.now() - look.atMs <= lookedMsMax ||
      (await ports.versions.latest(message.organizationId)) === look.version;
    code = 'signing_unavailable';
    request = isAsOfNow ? await prepared(ports, job, body) : undefined;
  } catch (fault) {
    ports.share.exit(job.endpoint.id);
    // That one body was damaged is nothing that others of its endpoint need wait for.
    if (code === 'signing_unavailable') await noteUnsigned(ports, job, isProbe);
    await hold(ports, message, { code, fault });
    return undefined;
  }
  if (request !== undefined) return request;
  ports.share.exit(job.endpoint.id);
  await lookAgain(ports, message);
  return undefined;
}

function storedBody({ event }: Job): Uint8Array {
  if (event.body === undefined) throw new Error('an accepted event has a body');
  return unpackBody(event.body);
}

async function prepared(ports: AttemptPorts, { message, endpoint, event }: Job, body: Uint8Array) {
  const attemptId = `${event.id}-${message.attempt}-${ports.newId()}`;
  return { body, ...(await ports.prepare(endpoint, { webhookId: event.id, body, attemptId })) };
}

async function noteUnsigned(ports: AttemptPorts, job: Job, isProbe: boolean): Promise<void> {
  const isLasting = (job.message.putOff ?? 0) >= lastingFaults;
  if (isProbe || isLasting) await note(ports, job, { kind: 'own_fault', isProbe, durationMs: 0 });
}

/** Whatever becomes of the request, its place is given back: who waits for one would wait as long as the function lives. */
async function posted(
  ports: AttemptPorts,
  { endpoint, policy }: Job,
  { request, health }: { request: Prepared & { readonly body: Uint8Array }; health: Health },
): Promise<Ended & { readonly result: PostResult }> {
  const timeoutMs = policy.timeoutSeconds * 1000;
  const watch = watchAttempt(ports, endpoint, { timeoutMs, health });
  let result: PostResult;
  try {
    result = await ports.post({
      ...request,
      url: endpoint.url,
      timeoutMs,
      rules: ports.targetRules,
      waits: watch.waits,
      ...(endpoint.keepResponse ? { keepResponseBytes } : {}),
    });
  } catch (fault) {
    watch.end(undefined);
    throw fault;
  }
  return { result, ...watch.end(result.durationMs) };
}

/**
 * Whether an answer says that the receiver is gone for good, but of an address that the endpoint has left since the
 * attempt began. One more read, on 410 only.
 */
async function isOfOldUrl(
  { readRecipientLatest, log }: AttemptPorts,
  { endpoint: { organizationId, id, url } }: Job,
  { answer }: PostResult,
): Promise<boolean> {
  if (answer.kind !== 'response' || answer.status !== 410) return false;
  let latest: Recipient;
  try {
    latest = await readRecipientLatest(organizationId, id);
  } catch {
    // Not known: nothing final follows from it, and the next attempt asks again.
    log('delivery.gone_unverified', { organizationId, endpointId: id });
    return true;
  }
  return latest.endpoint !== undefined && latest.endpoint.url !== url;
}

function budgetOf(
  { random }: AttemptPorts,
  { policy, message, delivery, event }: Job,
  { nowMs, isOfOld }: { nowMs: number; isOfOld: boolean },
) {
  const roundStart = delivery?.round === message.round ? delivery.roundStart : message.attempt - 1;
  return {
    policy: policy.retry,
    attemptOfRound: message.attempt - roundStart,
    chance: random(),
    nowMs,
    lastMs: event.expiresAt * 1000,
    isFinal: !isOfOld,
  };
}

function logAttempt(
  { log }: AttemptPorts,
  { message }: Job,
  { outcome, result, bytes }: { outcome: Outcome; result: PostResult; bytes: number },
): void {
  const { organizationId, endpointId, eventId, eventType, attempt: number, round, trigger } = message;
  log('delivery.attempted', {
    ...{ organizationId, endpointId, eventId, eventType, attempt: number, round, trigger },
    outcome: outcome.kind,
    code: outcome.kind === 'delivered' ? undefined : outcome.code,
    statusCode: outcome.statusCode,
    durationMs: Math.round(result.durationMs),
    bytes,
  });
}
