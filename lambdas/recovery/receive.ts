import type { SQSRecord } from 'aws-lambda';
import type { Verdict } from '../shared/batch.ts';
import { readJobMessage } from './job.ts';
import { recover } from './recover.ts';
import type { RecoverPorts } from './recover.ts';

/** Takes a record of `recovery`. A poisonous one falls into `recovery-dead`. */
export async function receive(
  ports: RecoverPorts,
  record: SQSRecord,
  remainingMs: () => number,
): Promise<Verdict> {
  const message = readJobMessage(record.body);
  if (message === undefined) {
    ports.log('message.poisonous', { messageId: record.messageId, queue: record.eventSourceARN });
    return 'falling';
  }
  return recover(ports, message, {
    sentAtMs: Number(record.attributes.SentTimestamp),
    receiveCount: Number(record.attributes.ApproximateReceiveCount),
    remainingMs,
  });
}
