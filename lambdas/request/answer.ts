import type { TargetRules } from '../endpoint/target.ts';
import type { Failure } from './failure.ts';
import type { Phase } from './phases.ts';
import type { ResponseHead } from './response-head.ts';

/**
 * One POST, once. Never rejects and never throws: whatever the receiver does is data. The answer comes within
 * `timeoutMs` (and what the event loop is late).
 */
export type Post = (request: PostRequest) => Promise<PostResult>;

export interface PostRequest {
  /** As stored: it is parsed and checked again for every attempt. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The signed bytes, sent as they are. */
  readonly body: Uint8Array;
  /** From the lookup of the name to the status line of a 2xx, or to the end of the headers of another response. */
  readonly timeoutMs: number;
  readonly rules: TargetRules;
  /** Both PEM; the certificate with its chain. */
  readonly clientCertificate?: { readonly certificate: string; readonly key: string };
  /** Keeps this much of the response's body, at most 16 kB; without it nothing of the body is kept. */
  readonly keepResponseBytes?: number;
  /** Each is told once, while there is no answer after so long. */
  readonly waits?: readonly Wait[];
  /** Ends the attempt early, as `timeout`. */
  readonly signal?: AbortSignal;
}

/** Who wants to know that there has been no answer for so long. */
export interface Wait {
  readonly afterMs: number;
  readonly tell: () => void;
}

export interface PostResult {
  readonly answer: Answer;
  /** From the call to the answer, the reading of the body included. */
  readonly durationMs: number;
  /** Up to where the attempt stopped; only the last can be not ok. Never holds the resolved address. */
  readonly phases: readonly Phase[];
}

/** A response with whatever status, 200 to 599, is a response: whether it is a success is not judged here. */
export type Answer = ResponseAnswer | ({ readonly kind: 'failure' } & Failure);

export interface ResponseAnswer {
  readonly kind: 'response';
  readonly status: number;
  /** As sent, cut to 256 characters. */
  readonly retryAfter?: string;
  /** Only when asked for: text, without control characters other than line feed and tab. Still untrusted. */
  readonly body?: string;
}

/** What a response counts as: the first final status line decides, and later trouble changes only the body. */
export function answerOf({ status, fields }: ResponseHead, body: string | undefined): Answer {
  const retryAfter = fields.get('retry-after')?.at(0);
  return {
    kind: 'response',
    status,
    ...(retryAfter === undefined ? {} : { retryAfter: retryAfter.slice(0, keptValueMax) }),
    ...(body === undefined ? {} : { body }),
  };
}

/** Of a header's value; more is not kept. */
const keptValueMax = 256;
