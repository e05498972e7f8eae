import { ChangeMessageVisibilityBatchCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import DataLoader from 'dataloader';
import { traceHeader } from './trace.ts';

/** A message on its way to a queue. */
export interface Outgoing {
  readonly body: string;
  /** SQS takes 0 to 900. */
  readonly delaySeconds: number;
  /** The fair queue's tenant: SQS does not carry it over, so every sending sets it again. */
  readonly groupId: string;
}

/** The batch travels later, when none of its messages is worked on any more. */
interface Traced extends Outgoing {
  readonly trace: string | undefined;
}

export type Send = (message: Outgoing) => Promise<void>;

/**
 * Sends messages to one queue. Calls made in the same turn of the event loop travel in one request: $0.40 per
 * million requests, so ten messages in one cost a tenth.
 *
 * The returned function throws when SQS did not take that very message.
 */
export function makeSend(client: SQSClient, queueUrl: string): Send {
  const batches = new DataLoader<Traced, true>((messages) => sendBatch(client, queueUrl, messages), {
    cache: false,
    maxBatchSize: 10,
    batchScheduleFn: setImmediate,
  });
  return async function send(message) {
    await batches.load({ ...message, trace: traceHeader() });
  };
}

async function sendBatch(
  client: SQSClient,
  queueUrl: string,
  messages: readonly Traced[],
): Promise<(true | Error)[]> {
  const requests = requestsOf(messages).map((some) =>
    sendRequest(client, queueUrl, some).catch((fault: unknown) => {
      const refused = fault instanceof Error ? fault : new Error('SQS was not reached', { cause: fault });
      return some.map(() => refused);
    }),
  );
  return (await Promise.all(requests)).flat();
}

/** SQS: a request may have 1 MiB, as a message may; it would refuse all of a larger one. Ten events may have more. */
const requestBytesMax = 1_048_576;

/** Messages in their order, as many in a request as it takes. */
function requestsOf(messages: readonly Traced[]): Traced[][] {
  const requests: Traced[][] = [];
  let bytes = Infinity;
  for (const message of messages) {
    const own = Buffer.byteLength(message.body);
    bytes += own;
    if (bytes > requestBytesMax) {
      requests.push([]);
      bytes = own;
    }
    requests.at(-1)?.push(message);
  }
  return requests;
}

async function sendRequest(
  client: SQSClient,
  queueUrl: string,
  messages: readonly Traced[],
): Promise<(true | Error)[]> {
  const answer = await client.send(
    new SendMessageBatchCommand({
      QueueUrl: queueUrl,
      Entries: messages.map((message, index) => ({
        Id: String(index),
        MessageBody: message.body,
        DelaySeconds: message.delaySeconds,
        MessageGroupId: message.groupId,
        ...systemAttributesOf(message),
      })),
    }),
  );
  // A batch is answered with 200 even when some of its entries were refused.
  const taken = new Set(answer.Successful?.map((entry) => entry.Id));
  const codes = new Map(answer.Failed?.map((entry) => [entry.Id, entry.Code]));
  return messages.map((_, index) => {
    const id = String(index);
    return taken.has(id) ? true : new Error(`SQS did not take the message: ${codes.get(id) ?? 'no answer'}`);
  });
}

/** SQS does not carry the trace over either; it costs no request. */
function systemAttributesOf({ trace }: Traced) {
  if (trace === undefined) return {};
  return { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: trace } } };
}

/** Makes received messages visible again at once; each goes back to the queue it came from. */
export function makeRelease(client: SQSClient, queueUrls: readonly string[]) {
  return async function release(records: readonly SQSRecord[]): Promise<void> {
    for (const queueUrl of queueUrls) {
      const own = records.filter(comesFrom(queueUrl));
      if (own.length === 0) continue;
      await client.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl: queueUrl,
          Entries: own.map((record, index) => ({
            Id: String(index),
            ReceiptHandle: record.receiptHandle,
            VisibilityTimeout: 0,
          })),
        }),
      );
    }
  };
}

/** Tells whether a record was received from a queue: its ARN ends with the name, as its URL does. */
export function comesFrom(queueUrl: string): (record: SQSRecord) => boolean {
  return ({ eventSourceARN }) => queueUrl.endsWith(`/${eventSourceARN.split(':').at(-1) ?? ''}`);
}
