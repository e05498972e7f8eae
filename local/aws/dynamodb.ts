import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

import dynalite from 'dynalite';
import { z } from 'zod';
import { AwsError } from './aws-error.ts';
import { DynamoDbTransactions } from './dynamodb-transactions.ts';
import type { Ask } from './dynamodb-transactions.ts';
import { Gate } from './gate.ts';
import { bodyOf, parseJson } from './server-messages.ts';

/** DynamoDB: dynalite, whose requests reach it through our own server, and transactions, which it does not know. */
export interface DynamoDb {
  /** Has dynalite answer a request whose body has been read. */
  answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void;
  close(): Promise<void>;
}

/** @param folder where tables are kept; without one they are gone with the process */
export function openDynamoDb(folder?: string): DynamoDb {
  const server = dynalite({
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
    ...(folder !== undefined && { path: folder }),
  });
  const gate = new Gate();
  const emit = (request: Readable, response: object) => server.emit('request', request, response);
  const transactions = new DynamoDbTransactions(askBy(emit));
  return {
    answer: (request, response, body) => {
      if (isTransaction(request)) {
        const write = () => transactions.write(parseJson(body));
        void gate.alone(write).then(
          (answer) => {
            end(response, 200, answer);
          },
          (fault: unknown) => {
            if (fault instanceof AwsError) end(response, fault.status, bodyOf(fault));
            else end(response, 500, bodyOf(new AwsError('InternalFailure', String(fault))));
          },
        );
      } else
        gate.enter((leave) => {
          emit(replayed(request, body), endedBy(response, leave));
        });
    },
    close: () =>
      new Promise((resolve, reject) => {
        // dynalite closes its store only after its server has closed, and a server that never listened cannot close.
        server.listen(0, '127.0.0.1', () => {
          server.close((error) => {
            if (error) reject(error);
            else resolve();
          });
        });
      }),
  };
}

function isTransaction({ headers }: IncomingMessage): boolean {
  return String(headers['x-amz-target']).endsWith('.TransactWriteItems');
}

/** As dynalite ends a response: one that is held back must not have sent anything before. */
function end(response: ServerResponse, status: number, answer: object): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/x-amz-json-1.0');
  response.end(JSON.stringify(answer));
}

/** The same response; when dynalite ends it, somebody is told. */
function endedBy(response: ServerResponse, ended: () => void): ServerResponse {
  const end = response.end.bind(response);
  const endAndTell = (body: string) => {
    ended();
    return end(body);
  };
  return Object.assign(response, { end: endAndTell });
}

/** Asks dynalite in our own name, as a caller would who has signed his request. */
function askBy(emit: (request: Readable, response: object) => void): Ask {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=none',
    'x-amz-date': '20261101T000000Z',
  };
  return async function ask(action, input) {
    const target = { 'x-amz-target': `DynamoDB_20120810.${action}` };
    const request = { method: 'POST', url: '/', headers: { ...headers, ...target } };
    const { statusCode, body } = await new Promise<{ statusCode: number; body: string }>((resolve) => {
      const response = {
        statusCode: 200,
        setHeader: () => undefined,
        end: (body: string) => {
          resolve({ statusCode: response.statusCode, body });
        },
      };
      emit(replayed(request, Buffer.from(JSON.stringify(input))), response);
    });
    const answer: unknown = JSON.parse(body);
    if (statusCode === 200) return answer;
    const { __type, message = '' } = refused.parse(answer);
    throw new AwsError(__type, message, { status: statusCode });
  };
}

const refused = z.looseObject({ __type: z.string(), message: z.string().optional() });

/**
 * The request again, with its body unread. dynalite is not given the real one: it throws, and ends the process, when a
 * caller hangs up in the middle; and it opens itself to any web page (CORS) when it sees an `origin`.
 */
function replayed(
  { method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Buffer,
): Readable {
  return Object.assign(Readable.from([body]), { method, url, headers: { ...headers, origin: undefined } });
}
