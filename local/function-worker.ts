import tls from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { orderMessage, workerSettings } from './function-protocol.ts';
import type { Answer, Order } from './function-protocol.ts';
import { keepNamesLocal } from './loopback-names.ts';

type Handler = (event: unknown, context: unknown) => unknown;
const callable = z.custom<Handler>((value) => typeof value === 'function');

/**
 * The inside of a function's worker: loads the bundled handler, the very file that would be deployed, and
 * runs what `function-instance.ts` orders. Several invocations may be under way at once.
 */
const port = parentPort;
if (port === null) throw new Error('This file runs in a worker of the local runtime');
const settings = workerSettings.parse(workerData);

// The one switch for loopback receivers, and it exists only in this thread (lambdas/shared/local-receivers.ts).
Object.assign(globalThis, { [Symbol.for('tidings.local.receivers')]: true });
if (settings.namesAreLocal) keepNamesLocal();
if (settings.extraCas.length > 0) {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...settings.extraCas]);
}

const loaded = z.looseObject({}).parse({ ...Object(await import(settings.file)) });
const handler = callable.parse(loaded[settings.exportName], {
  error: () => `${settings.file} exports no function ${settings.exportName}`,
});

port.on('message', (message: unknown) => {
  void run(orderMessage.parse(message)).then((answer) => {
    port.postMessage(answer);
  });
});
port.postMessage({ kind: 'ready' } satisfies Answer);

/** Lambda's quota of what a synchronous invocation answers. */
const answerBytesMax = 6 * 1024 * 1024;

class ResponseSizeTooLarge extends Error {
  public override readonly name = 'Function.ResponseSizeTooLarge';

  public constructor() {
    super(`Response payload size exceeded maximum allowed payload size (${String(answerBytesMax)} bytes).`);
  }
}

async function run(order: Order): Promise<Answer> {
  try {
    // As text in and text out, as Lambda does it: a Date or a function in a payload must not survive here only.
    const event: unknown = JSON.parse(order.event);
    const result: unknown = await Promise.resolve(handler(event, contextOf(order)));
    const text = JSON.stringify(result ?? null);
    if (Buffer.byteLength(text) > answerBytesMax) throw new ResponseSizeTooLarge();
    return { kind: 'result', id: order.id, result: text };
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    return { kind: 'failure', id: order.id, errorType: name, errorMessage: message, stack: stack ?? '' };
  }
}

function contextOf(order: Order) {
  const name = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '';
  return {
    functionName: name,
    functionVersion: '$LATEST',
    invokedFunctionArn: settings.arn,
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? '',
    awsRequestId: order.id,
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'] ?? '',
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'] ?? '',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, order.deadlineMs - Date.now()),
  };
}
