import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { AwsError } from './aws-error.ts';

/** More than any service takes in one call; DynamoDB's 16 MB is the largest. */
const bodyBytesMax = 16 * 1024 * 1024;

/** The whole body; refuses one that is too large as soon as it is. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = new AwsError('RequestEntityTooLarge', 'The request is too large.', { status: 413 });
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) throw tooLarge;
  const chunks: AsyncIterable<Buffer> = request;
  const read: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw tooLarge;
    read.push(chunk);
  }
  return Buffer.concat(read);
}

export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw new AwsError('SerializationException', 'The body is not JSON.', { cause });
  }
}

export function sendJson(response: ServerResponse, status: number, answer: object): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'x-amzn-requestid': randomUUID(),
  });
  response.end(JSON.stringify(answer));
}

/** The error as AWS words it. One that is not AWS's is ours: a 500 that SDK callers retry, told on the console. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return;
  if (!(error instanceof AwsError)) {
    console.error('The AWS stand-in failed:', error);
    sendJson(response, 500, { __type: 'InternalFailure', message: 'The local stand-in failed.' });
    return;
  }
  if (!response.headersSent) {
    // SQS spoke another protocol once, and still names its errors in it as well.
    response.setHeader(
      'x-amzn-query-error',
      `${error.queryCode};${error.status < 500 ? 'Sender' : 'Receiver'}`,
    );
    if (error.status === 413) response.setHeader('connection', 'close');
  }
  sendJson(response, error.status, bodyOf(error));
}

/** A refusal as its answer writes it. */
export function bodyOf({ code, message, fields }: AwsError): object {
  return { __type: code, message, ...fields };
}

/** A response that ends only once something has been done; what that throws is sent in place of the answer. */
export function heldBack(response: ServerResponse, before: () => Promise<void>): ServerResponse {
  const end = response.end.bind(response);
  const instead = (error: unknown) => {
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    sendError(response, error);
  };
  const endLater = (body: string) => {
    Object.assign(response, { end });
    before().then(() => end(body), instead);
  };
  return Object.assign(response, { end: endLater });
}
