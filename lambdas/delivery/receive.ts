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
  const work = inTurn(
    (record: SQSRecord) => pairOf(messages.get(record)),
    (record) => receive(ports, { record, message: messages.get(record) }, remainingMs),
  );
  return workThroughBatch(ports, records, work);
}

function pairOf(message: DeliveryMessage | undefined): string | undefined {
  return message && `${message.endpointId} ${message.eventId}`;
}

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
    receiveCount: Number(attributes.ApproximateReceiveCount),
    remainingMs,
  });
}
