import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { inTurn, workThroughBatch } from '../shared/batch.ts';
import type { BatchPorts, Verdict } from '../shared/batch.ts';
import { deliver } from './deliver.ts';
import type { DeliverPorts } from './deliver.ts';
import { readMessage } from './message.ts';
import type { DeliveryMessage } from './message.ts';

/**
 * Works through a batch of `deliveries` or `retries`. Copies of one message, which SQS or a repeated send makes, may
 * come together: the second one is looked at when the first is recorded, or the receiver would get both.
 *
 * @param remainingMs milliseconds that the function may still run
 */
export function receiveBatch(
  ports: DeliverPorts & BatchPorts,
  records: readonly SQSRecord[],
  remainingMs: () => number,
): Promise<SQSBatchResponse> {
  const messages = new Map(records.map((record) => [record, readMessage(record.body)]));
  // One line for up to ten deliveries: what is late cannot be told from the age of a queue in which others wait on purpose.
  ports.log('batch.received', punctuality([...messages], ports.now()));
  const work = inTurn(
    (record: SQSRecord) => pairOf(messages.get(record)),
    (record) => receive(ports, { record, message: messages.get(record) }, remainingMs),
  );
  return workThroughBatch(ports, records, work);
}

/**
 * How punctual a batch is, at most: `lateMs` since the first of it was due, and by how much our clock is behind that
 * of SQS, whose messages cannot come from the future.
 */
function punctuality(
  batch: readonly (readonly [SQSRecord, DeliveryMessage | undefined])[],
  nowMs: number,
): { messages: number; lateMs: number; clockBehindMs: number } {
  const sent = batch.map(([{ attributes }]) => Number(attributes.SentTimestamp));
  const due = batch.map(([{ attributes }, message]) =>
    Math.max(
      Number(attributes.SentTimestamp),
      message?.notBefore === undefined ? 0 : Date.parse(message.notBefore),
    ),
  );
  return {
    messages: batch.length,
    lateMs: Math.max(0, ...due.map((dueMs) => nowMs - dueMs)),
    clockBehindMs: Math.max(0, ...sent.map((sentMs) => sentMs - nowMs)),
  };
}

function pairOf(message: DeliveryMessage | undefined): string | undefined {
  return message && `${message.endpointId} ${message.eventId}`;
}

/** How the name of the queue ends whose messages only fall (lib/delivery.ts). */
const fallingQueue = 'falling';

interface Taken {
  readonly record: SQSRecord;
  /** `undefined` for a poisonous one. */
  readonly message: DeliveryMessage | undefined;
}

/** A poisonous record falls into the dead-letter queue: it was never a delivery of ours, so nothing else can be told of it. */
async function receive(
  ports: DeliverPorts,
  { record, message }: Taken,
  remainingMs: () => number,
): Promise<Verdict> {
  const { messageId, attributes, eventSourceARN } = record;
  if (message === undefined) {
    ports.log('message.poisonous', { messageId, queue: eventSourceARN });
    return 'falling';
  }
  return deliver(ports, message, {
    sentAtMs: Number(attributes.SentTimestamp),
    isFalling: eventSourceARN.endsWith(fallingQueue),
    receiveCount: Number(attributes.ApproximateReceiveCount),
    remainingMs,
  });
}
