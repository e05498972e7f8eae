import { createHash } from 'node:crypto';
import { configurationTtlMs } from '../shared/cache.ts';
import { Conflict, InvalidRequest, Unprocessable } from '../shared/errors.ts';
import type { RandomBytes } from '../shared/identifier.ts';
import type { KeyedRequest } from '../shared/route.ts';
import type { Now } from '../shared/time.ts';
import { openAnswer, sealAnswer } from './seal-answer.ts';
import type { KeptAnswer } from './seal-answer.ts';

/** A request with a key of its own, as the ledger keeps it. */
export interface KeptRequest {
  /** Of the caller, the operation and the key: neither can be read from it. */
  readonly id: string;
  /** Of all that was asked for. */
  readonly fingerprint: string;
  /** Tells the request that began from a copy of it. */
  readonly token: string;
  readonly begunAtMs: number;
  /** When the same was asked for first, if it has failed since. */
  readonly firstAtMs?: number | undefined;
  /** That it has failed: the key is free. */
  readonly isFree?: true | undefined;
  /** Sealed; absent until it is done. */
  readonly answer?: string | undefined;
  /** Until then the answer is not to be given: not every function goes by what it says. */
  readonly heldUntilMs?: number | undefined;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

export interface OncePorts {
  readonly requests: {
    /** Writes a request that has just begun, unless there is one of the same id that is not free: it gives what was there. */
    readonly begin: (organizationId: string, begun: KeptRequest) => Promise<KeptRequest | undefined>;
    readonly keep: (organizationId: string, answered: KeptRequest) => Promise<void>;
    /** Has the key begin anew, if this very request is what is kept under it. */
    readonly forget: (organizationId: string, begun: KeptRequest) => Promise<void>;
  };
  readonly now: Now;
  /** At least twelve. */
  readonly randomBytes: RandomBytes;
}

/** What is asked for, and by whom. */
export interface Asked {
  /** One that `refuseNoKey` has taken. */
  readonly key: string;
  readonly organizationId: string;
  readonly subject: string;
  /** Method, path, query and body. */
  readonly parts: readonly string[];
}

/** How long a key is known. */
const keptSeconds = 86_400;

/** Longer than the function may run: who has not answered by then never will. */
const runningMsMax = 30_000;

/** It has been done, but not every function could be told. */
export class DoneUntold extends Error {
  public readonly answer: KeptAnswer;

  public constructor(answer: KeptAnswer, cause: unknown) {
    super('not every function could be told of the change', { cause });
    this.name = new.target.name;
    this.answer = answer;
  }
}

/** Short ones are guessed, and the key also keeps the answer secret. */
const keyPattern = /^[\x21-\x7E]{16,255}$/;

/**
 * Does a request once, however often it comes with the same `Idempotency-Key`
 * (draft-ietf-httpapi-idempotency-key-header-07): the first answer is given again for a day. Only a success is kept.
 * Who was refused may mend the request and send it with the same key. What was done and is not heeded yet is answered by a
 * fault; who asks again when it is gets the answer, with the secret that it may show.
 *
 * @throws Unprocessable when the key belongs to another request; Conflict while the
 * first one is worked on, and when it was cut off and nobody knows how far it came.
 */
export async function once(
  { requests, now, randomBytes }: OncePorts,
  asked: Asked,
  work: (request: KeyedRequest) => Promise<KeptAnswer>,
): Promise<KeptAnswer> {
  const { key, organizationId } = asked;
  let begun: KeptRequest = {
    id: digest([asked.subject, asked.parts[0] ?? '', asked.parts[1] ?? '', key]),
    fingerprint: digest([key, ...asked.parts]),
    token: Buffer.from(randomBytes()).toString('hex'),
    begunAtMs: now(),
    expiresAt: Math.ceil(now() / 1000) + keptSeconds,
  };
  // It failed: nothing was done, or it was undone. If this fails, too, the key stays taken, and nothing is done twice.
  const forget = () => requests.forget(organizationId, begun).catch(() => undefined);
  const before = await requests.begin(organizationId, begun).catch(async (fault: unknown) => {
    // It may have been written though the answer was lost.
    await forget();
    throw fault;
  });
  if (before !== undefined && before.isFree !== true && before.token !== begun.token) {
    const kept = answerOf(before, begun);
    const answer = openAnswer(key, kept);
    return { ...answer, headers: { ...answer.headers, 'idempotent-replayed': 'true' } };
  }
  // What has failed may have been done all the same: whoever asks again means the same thing.
  const firstAtMs = firstTimeOf(before, begun);
  begun = { ...begun, firstAtMs };
  const keep = async (answer: KeptAnswer, heldUntilMs?: number) => {
    const sealed = sealAnswer(key, answer, randomBytes());
    // Who learns now that it has been done must not be told otherwise because it could not be kept.
    await requests.keep(organizationId, { ...begun, answer: sealed, heldUntilMs }).catch(() => undefined);
  };
  const answer = await work({ id: begun.id, firstAtMs }).catch(async (fault: unknown) => {
    if (fault instanceof DoneUntold) await keep(fault.answer, now() + configurationTtlMs);
    else await forget();
    throw fault;
  });
  await keep(answer);
  return answer;
}

function firstTimeOf(before: KeptRequest | undefined, { fingerprint, begunAtMs }: KeptRequest): number {
  if (before?.isFree !== true || before.fingerprint !== fingerprint) return begunAtMs;
  return before.firstAtMs ?? before.begunAtMs;
}

/** @throws InvalidRequest `invalid_idempotency_key` */
export function refuseNoKey(key: string): void {
  if (keyPattern.test(key)) return;
  throw new InvalidRequest(
    'invalid_idempotency_key',
    'An Idempotency-Key has 16 to 255 visible characters of ASCII, such as a random UUID.',
    'Idempotency-Key',
  );
}

function answerOf(before: KeptRequest, begun: KeptRequest): string {
  if (before.fingerprint !== begun.fingerprint) {
    throw new Unprocessable(
      'idempotency_key_reused',
      'This Idempotency-Key came with another request: take a new one for each thing you want done.',
    );
  }
  const isHeld = begun.begunAtMs < (before.heldUntilMs ?? 0);
  if (before.answer !== undefined && !isHeld) return before.answer;
  if (isHeld || begun.begunAtMs - before.begunAtMs < runningMsMax) {
    throw new Conflict(
      'request_in_progress',
      'The first request with this key is being worked on: ask again.',
    );
  }
  throw new Conflict(
    'outcome_unknown',
    'The first request with this key was cut off: look whether it was done, before you send it with a new key.',
  );
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
