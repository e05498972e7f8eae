import { makeBody, type Body } from './body.ts';
import { isSuccess } from './failure.ts';
import { makeHeadReader, type ResponseHead } from './response-head.ts';

/** A response as it comes. */
export interface Response {
  /**
   * Takes what has come; whether the rest, if there is any, is not to be read.
   *
   * @throws AttemptFailure `invalid_response`, `header_overflow`
   */
  readonly take: (chunk: Buffer) => boolean;
  /** Nothing more will come: a status line without the end of its headers is as good as a head (RFC 9112, 8). */
  readonly breakOff: () => void;
  /**
   * As far as it has come, once the verdict is known: by a complete head, or by a final status line that says 2xx,
   * whatever becomes of its headers. Of other statuses the headers matter: `retry-after` stands there.
   */
  readonly head: () => ResponseHead | undefined;
  /** What has come of the body. */
  readonly body: () => Uint8Array;
}

/**
 * After so many 1xx responses nothing is read any more, and the deadline ends the attempt as `timeout`, just as if the
 * receiver had gone on. Unread, a flood costs no CPU; a receiver that says 102 to show that it is alive never gets there.
 */
const informationalMax = 1000;

export function makeResponse(): Response {
  const reader = makeHeadReader();
  let head: ResponseHead | undefined;
  let body: Body | undefined;
  return {
    take: (chunk) => {
      if (body !== undefined) return body.take(chunk);
      const read = reader.take(chunk);
      if (read === undefined) return reader.informational() >= informationalMax;
      ({ head } = read);
      body = makeBody(head);
      return body.take(read.rest);
    },
    breakOff: () => {
      head ??= reader.begun();
    },
    head: () => head ?? (isSuccess(reader.status() ?? 0) ? reader.begun() : undefined),
    body: () => body?.bytes() ?? new Uint8Array(),
  };
}
