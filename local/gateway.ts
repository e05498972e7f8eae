import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { gatewayAnswer, send, toAnswer } from './gateway-answer.ts';
import type { Answer } from './gateway-answer.ts';
import { scopesOf, toEvent } from './gateway-event.ts';
import { matchRoute } from './gateway-routes.ts';
import type { Authorizer, Route } from './gateway-routes.ts';
import type { Claims, Identity } from './identity.ts';

export interface GatewayOptions {
  readonly routes: readonly Route[];
  readonly identity: Identity;
  /** 0 for any free one. */
  readonly port: number;
  readonly nowMs: () => number;
}

export interface Gateway {
  /** Without a slash at its end. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** The quota of an HTTP API. A function takes 6 MB at most, but that is for the handler to say. */
const bodyBytesMax = 10 * 1024 * 1024;

/** Stands in for the HTTP API of the stack: routes, tokens and payload format 2.0, on loopback only. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const server = createServer({ maxHeaderSize: headBytesMax }, (request, response) => {
    void answerTo(request, options)
      // Whatever went wrong is in the function's log; API Gateway says no more than this.
      .catch(() => gatewayAnswer(500, 'Internal Server Error'))
      .then((answer) => {
        response.setHeader('apigw-requestid', randomUUID());
        send(response, answer);
      });
  });
  server.on('clientError', refuseUnread);
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** What Node could not read as a request is answered in the gateway's form all the same. */
function refuseUnread(fault: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = fault.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const message = STATUS_CODES[status] ?? '';
  const { headers, body } = gatewayAnswer(status, message, { connection: 'close' });
  const all = { ...headers, 'content-length': body.byteLength };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${message}`, ...lines, '', body.toString()].join('\r\n'));
}

/** Of request line and headers together: what is longer is answered with 431 (API Gateway's quotas for HTTP APIs). */
const headBytesMax = 10_240;

async function answerTo(request: IncomingMessage, options: GatewayOptions): Promise<Answer> {
  // Joined, not resolved: a path that begins with two slashes must not become a host name.
  const path = `http://127.0.0.1${request.url ?? '/'}`;
  if (!URL.canParse(path)) return gatewayAnswer(400, 'Bad Request');
  const url = new URL(path);
  const body = await bodyOf(request);
  if (body === undefined) return gatewayAnswer(413, 'Request Entity Too Large');
  const match = matchRoute(options.routes, request.method ?? 'GET', url.pathname);
  if (match === undefined) return gatewayAnswer(404, 'Not Found');

  const received = { request, url, body, match, nowMs: options.nowMs() };
  const { authorizer } = match.route;
  if (authorizer === undefined) return toAnswer(await match.route.invoke(toEvent(received)));
  const claims = await authorize(request, authorizer, options.identity);
  if ('statusCode' in claims) return claims.answer;
  return toAnswer(await match.route.invoke(toEvent({ ...received, claims: claims.claims })));
}

type Authorized = { readonly claims: Claims } | { readonly statusCode: number; readonly answer: Answer };

async function authorize(
  request: IncomingMessage,
  authorizer: Authorizer,
  identity: Identity,
): Promise<Authorized> {
  // The scheme may be left out, as on API Gateway.
  const token = (request.headers.authorization ?? '').replace(/^bearer\s+/i, '');
  if (token === '') return refuse(401, 'Unauthorized', 'Bearer');
  try {
    const claims = await identity.verify(token, authorizer);
    const held = scopesOf(claims);
    if (authorizer.scopes.length === 0 || authorizer.scopes.some((scope) => held.includes(scope))) {
      return { claims };
    }
    return refuse(
      403,
      'Forbidden',
      `Bearer scope="${authorizer.scopes.join(' ')}" error="insufficient_scope"`,
    );
  } catch (error) {
    const reason = (error instanceof Error ? error.message : 'the token is not valid').replaceAll('"', "'");
    return refuse(401, 'Unauthorized', `Bearer scope="" error="invalid_token" error_description="${reason}"`);
  }
}

function refuse(statusCode: number, message: string, challenge: string): Authorized {
  return { statusCode, answer: gatewayAnswer(statusCode, message, { 'www-authenticate': challenge }) };
}

/** The whole body, or nothing when it is larger than the quota: it is read to its end, so that the caller hears why. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  request.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes <= bodyBytesMax) parts.push(part);
  });
  await once(request, 'end');
  return bytes > bodyBytesMax ? undefined : Buffer.concat(parts);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The gateway listens on no port');
  return address.port;
}
