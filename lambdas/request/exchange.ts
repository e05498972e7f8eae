import type { Duplex } from 'node:stream';
import { answerOf, type Answer, type PostRequest } from './answer.ts';
import { readableText } from './body.ts';
import type { Deadline } from './deadline.ts';
import { AttemptFailure } from './failure.ts';
import type { PhaseRecord } from './phases.ts';
import type { ResponseHead } from './response-head.ts';
import { makeResponse, type Response } from './response.ts';

export interface Exchange {
  /** Connected, for this one request: whoever called closes it. */
  readonly socket: Duplex;
  /** The request's head, with the empty line that ends it; latin1. */
  readonly requestHead: string;
  readonly request: Pick<PostRequest, 'body' | 'keepResponseBytes'>;
  readonly phases: PhaseRecord;
  readonly deadline: Deadline;
}

/**
 * Sends the request and takes the answer: the first final status line decides. Rejects when none came, or when a limit
 * passes before the headers of one that is not 2xx have ended; whatever else happens after it only cuts what is kept.
 */
export async function exchange(given: Exchange): Promise<Answer> {
  const { deadline, request } = given;
  const response = makeResponse();
  const { decided, isRead } = receive(given, response);
  write(given);
  const found = await deadline.race(decided);
  deadline.limit(bodyMsMax);
  await deadline.race(isRead).catch(() => undefined);
  const { keepResponseBytes } = request;
  return answerOf(
    response.head() ?? found,
    keepResponseBytes === undefined
      ? undefined
      : readableText(response.body().subarray(0, keepResponseBytes)),
  );
}

/** The verdict is known: what is slow behind it, headers of a 2xx or a body, may not hold the sender. */
const bodyMsMax = 1000;

interface Receiving {
  /** The final status line, and what was there of its headers when the verdict was known. */
  readonly decided: Promise<ResponseHead>;
  /** Resolves when the body is complete, cut or broken; never rejects. */
  readonly isRead: Promise<unknown>;
}

function receive({ socket, phases }: Exchange, response: Response): Receiving {
  const { promise: decided, resolve, reject } = Promise.withResolvers<ResponseHead>();
  const { promise: isRead, resolve: endReading } = Promise.withResolvers<undefined>();
  let isTold = false; // a head is put together once, or one that comes byte by byte would cost its square
  const tell = (): void => {
    const found = isTold ? undefined : response.head();
    if (found === undefined) return;
    isTold = true;
    phases.close(true);
    resolve(found);
  };
  const fail = (error: unknown): void => {
    tell();
    reject(error);
    endReading(undefined);
  };
  socket.on('data', (chunk: Buffer) => {
    enterFirstByte(phases);
    phases.beginAnswer();
    try {
      const isEnough = response.take(chunk);
      tell();
      if (isEnough) socket.pause();
      if (isEnough && isTold) endReading(undefined);
    } catch (error) {
      socket.pause();
      fail(error);
    }
  });
  const end = (error: unknown): void => {
    response.breakOff();
    fail(error);
  };
  socket.on('error', end);
  for (const event of ['end', 'close'])
    socket.once(event, () => {
      end(new AttemptFailure('connection_closed'));
    });
  return { decided, isRead };
}

function enterFirstByte(phases: PhaseRecord): void {
  if (phases.current() === 'request') phases.enter('first_byte');
}

/** In one piece, so that a small request is one packet. */
function write({ socket, requestHead, request, phases }: Exchange): void {
  socket.cork();
  socket.write(requestHead, 'latin1');
  socket.write(request.body, (error) => {
    if (error == null) enterFirstByte(phases);
  });
  socket.uncork();
}
