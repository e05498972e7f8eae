import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import type { Service } from './actions.ts';
import { AwsError } from './aws-error.ts';
import type { DynamoDb } from './dynamodb.ts';
import { withTraceOf } from './trace-header.ts';
import { heldBack, parseJson, readBody, sendError, sendJson } from './server-messages.ts';

export type ServiceName = 'sqs' | 'events' | 'kms' | 'secretsmanager' | 'tagging' | 'dynamodb';

export interface AwsServerOptions {
  services: Record<Exclude<ServiceName, 'dynamodb'>, Service>;
  dynamodb: DynamoDb;
  /** 0 or left out: any free one. */
  port?: number | undefined;
  /** Judges every call before anything else is done with it; what it throws is the answer. */
  permit?: ((call: AwsCall) => void) | undefined;
  /** Runs before every call; what it throws is the answer. So tests inject throttling and outages (`AwsError`). */
  beforeCall?: CallHook | undefined;
  /** Runs after a call was carried out, before it is answered; what it throws is the answer. So tests lose answers. */
  afterCall?: CallHook | undefined;
}

/** A call, and who makes it. */
export interface AwsCall {
  service: ServiceName;
  action: string;
  input: unknown;
  /** As the signature names it. The signature itself is nobody's proof here: whoever can reach loopback is trusted. */
  accessKeyId: string;
  /** Whether it came over TLS. Nothing here does; who says nothing is taken at AWS's word, `x-forwarded-proto: http` is a no. */
  isSecure: boolean;
}

/** The input is the same object before and after. */
export type CallHook = (service: ServiceName, action: string, input: unknown) => Promise<void>;

export interface AwsServer {
  port: number;
  /** `http://127.0.0.1:<port>` */
  endpoint: string;
  close(): Promise<void>;
}

/** What stands before the point in `X-Amz-Target`. */
const targets = new Map<string, ServiceName>([
  ['AmazonSQS', 'sqs'],
  ['AWSEvents', 'events'],
  ['TrentService', 'kms'],
  ['secretsmanager', 'secretsmanager'],
  ['ResourceGroupsTaggingAPI_20170126', 'tagging'],
  ['DynamoDB_20120810', 'dynamodb'],
]);

/** SDK clients keep connections open between calls; to close one just as it is used again costs them a retry. */
const keepAliveMs = 60_000;

/** All stand-ins behind one address on loopback: every SDK client speaks `POST /` with JSON and an `X-Amz-Target`. */
export async function startAwsServer(options: AwsServerOptions): Promise<AwsServer> {
  const server = createServer({ keepAliveTimeout: keepAliveMs }, (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      sendError(response, error);
    });
  });
  const port = await listen(server, options.port ?? 0);
  return { port, endpoint: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

async function answer(
  options: AwsServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isLoopbackHost(request.headers.host)) {
    throw new AwsError('AccessDeniedException', 'Only a loopback host name is answered.', { status: 403 });
  }
  const { service, action } = targetOf(request);
  const body = await readBody(request);
  const input = parseJson(body);
  options.permit?.({ service, action, input, ...callerOf(request) });
  await options.beforeCall?.(service, action, input);
  const after = async () => options.afterCall?.(service, action, input);
  if (service === 'dynamodb') {
    options.dynamodb.answer(request, options.afterCall ? heldBack(response, after) : response, body);
    return;
  }
  // A caller that hangs up must not go on waiting for messages in its name.
  const hungUp = new AbortController();
  response.once('close', () => {
    hungUp.abort();
  });
  const result = await withTraceOf(request, () =>
    options.services[service].call(action, input, hungUp.signal),
  );
  await after();
  sendJson(response, 200, result);
}

/** Refuses what a web page could send by a name of its own that resolves to loopback (DNS rebinding). */
function isLoopbackHost(host = ''): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
}

function callerOf({ headers }: IncomingMessage): Pick<AwsCall, 'accessKeyId' | 'isSecure'> {
  const [, accessKeyId = ''] = /Credential=([^/,\s]+)\//.exec(headers.authorization ?? '') ?? [];
  return { accessKeyId, isSecure: headers['x-forwarded-proto'] !== 'http' };
}

function targetOf(request: IncomingMessage): { service: ServiceName; action: string } {
  const [prefix = '', action = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
  const service = targets.get(prefix);
  if (service === undefined || request.method !== 'POST') {
    throw new AwsError('UnknownOperationException', 'There is no such service here.', { status: 404 });
  }
  return { service, action };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('The server has no port.'));
      else resolve(address.port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
