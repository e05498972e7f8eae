import { createHash } from 'node:crypto';
import { Conflict, InvalidRequest, Unprocessable } from '../shared/errors.ts';
import type { RandomBytes } from '../shared/identifier.ts';
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
  /** Sealed; absent until it is done. */
  readonly answer?: string | undefined;
  /** Epoch seconds. */
  readonly expiresAt: number;
}

export interface OncePorts {
  readonly requests: {
    /** Writes a request that has just begun, unless there is one of the same id: then it gives that one. */
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

/** Short ones are guessed, and the key also keeps the answer secret. */
const keyPattern = /^[\x21-\x7E]{16,255}$/;

/**
 * Does a request once, however often it comes with the same `Idempotency-Key`
 * (draft-ietf-httpapi-idempotency-key-header-07): the first answer is given again for a day. Only a success is kept.
 * Who was refused may mend the request and send it with the same key.
 *
 * @throws Unprocessable when the key belongs to another request; Conflict while the
 * first one is worked on, and when it was cut off and nobody knows how far it came.
 */
export async function once(
  { requests, now, randomBytes }: OncePorts,
  asked: Asked,
  work: () => Promise<KeptAnswer>,
): Promise<KeptAnswer> {
  const { key, organizationId } = asked;
  const begun: KeptRequest = {
    id: digest([asked.subject, asked.parts[0] ?? '', asked.parts[1] ?? '', key]),
    fingerprint: digest([key, ...asked.parts]),
    token: Buffer.from(randomBytes()).toString('hex'),
    begunAtMs: now(),
    expiresAt: Math.ceil(now() / 1000) + keptSeconds,
  };
  // It failed: nothing was done, or it was undone. If this fails, too, the key stays taken, and nothing is done twice.
  const forget = async (fault: unknown) => {
    await requests.forget(organizationId, begun).catch(() => undefined);
    throw fault;
  };
  // It may have been written though the answer was lost.
  const before = await requests.begin(organizationId, begun).catch(forget);
  if (before !== undefined && before.token !== begun.token) {
    const kept = answerOf(before, begun);
    const answer = openAnswer(key, kept);
    return { ...answer, headers: { ...answer.headers, 'idempotent-replayed': 'true' } };
  }
  const answer = await work().catch(forget);
  const sealed = sealAnswer(key, answer, randomBytes());
  // It has been done: who learns it now must not be told otherwise because it could not be kept.
  await requests.keep(organizationId, { ...begun, answer: sealed }).catch(() => undefined);
  return answer;
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
  if (before.answer !== undefined) return before.answer;
  if (begun.begunAtMs - before.begunAtMs < runningMsMax) {
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
