import type { Readable, Writable } from 'node:stream';
import { answerOf, type Answer, type PostRequest } from './answer.ts';
import { collectBody, readableText, type Body } from './body.ts';
import type { Deadline } from './deadline.ts';
import { AttemptFailure } from './failure.ts';
import type { PhaseRecord } from './phases.ts';

export interface Exchange {
  /** Node's ClientRequest, not yet ended. */
  readonly outgoing: Writable;
  readonly socket: { readonly pause: () => unknown };
  readonly request: PostRequest;
  readonly phases: PhaseRecord;
  readonly deadline: Deadline;
}

/**
 * Sends the body and takes the answer: the first final status line decides. Rejects when none came; what
 * happens to the response's body after it is no failure, it only cuts what is kept.
 */
export async function exchange(given: Exchange): Promise<Answer> {
  const { deadline, request } = given;
  const { response, body, isFollowedByGarbage } = await deadline.race(send(given));
  deadline.limit(bodyMsMax);
  await deadline.race(body.done).catch(() => undefined);
  const { statusCode = 0, httpVersion, headers } = response;
  const { keepResponseBytes } = request;
  return answerOf(
    { status: statusCode, httpVersion, headers, isFollowedByGarbage: isFollowedByGarbage() },
    keepResponseBytes === undefined ? undefined : readableText(body.bytes().subarray(0, keepResponseBytes)),
  );
}

/** The headers are here and the verdict is known: a slow body may not hold the sender. */
const bodyMsMax = 1000;

/**
 * After so many 1xx responses the socket is read no more, and the deadline ends the attempt as `timeout`, just
 * as if the receiver had gone on. Unread, a flood costs no CPU (parsed, it is a million a second); a receiver
 * that says 102 to show that it is alive never gets there.
 */
const informationalMax = 1000;

interface Response extends Readable {
  readonly statusCode?: number;
  readonly httpVersion: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

interface Received {
  readonly response: Response;
  readonly body: Body;
  readonly isFollowedByGarbage: () => boolean;
}

/** Ends with the head of the final response; what comes after it is the body's. */
function send({ outgoing, socket, request, phases }: Exchange): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  let isGarbage = false;
  let informational = 0;
  const enterFirstByte = (): void => {
    if (phases.current() === 'request') phases.enter('first_byte');
  };
  outgoing.once('finish', enterFirstByte);
  outgoing.on('information', () => {
    informational += 1;
    // Not at once: Node's parser resumes the socket after every message of the chunk that is being read.
    if (informational === informationalMax) setImmediate(() => socket.pause());
  });
  outgoing.once('response', (response: Response) => {
    enterFirstByte();
    phases.close(true);
    resolve({ response, body: collectBody(response), isFollowedByGarbage: () => isGarbage });
  });
  outgoing.once('upgrade', () => {
    reject(new AttemptFailure('invalid_response'));
  });
  outgoing.on('error', (error) => {
    isGarbage = 'code' in error && String(error.code).startsWith('HPE_');
    reject(error);
  });
  outgoing.once('close', () => {
    reject(new AttemptFailure('connection_closed'));
  });
  outgoing.end(request.body);
  return promise;
}
