import type { SQSRecord } from 'aws-lambda';
import type { Verdict } from '../shared/batch.ts';
import { deliver } from './deliver.ts';
import type { DeliverPorts } from './deliver.ts';
import { readMessage } from './message.ts';

/**
 * Takes a record of `deliveries` or `retries`. A poisonous one falls into the dead-letter queue: it was never a
 * delivery of ours, so nothing else can be told of it.
 */
export async function receive(
  ports: DeliverPorts,
  record: SQSRecord,
  remainingMs: () => number,
): Promise<Verdict> {
  const message = readMessage(record.body);
  if (message === undefined) {
    ports.log('message.poisonous', { messageId: record.messageId, queue: record.eventSourceARN });
    return 'falling';
  }
  return deliver(ports, message, {
    sentAtMs: Number(record.attributes.SentTimestamp),
    receiveCount: Number(record.attributes.ApproximateReceiveCount),
    remainingMs,
  });
}
