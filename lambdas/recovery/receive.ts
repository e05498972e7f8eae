import type { SQSRecord } from 'aws-lambda';
import type { Verdict } from '../shared/batch.ts';
import { drain } from './drain/drain.ts';
import type { DrainPorts } from './drain/drain.ts';
import { readWork } from './work.ts';
import { recover } from './recover.ts';
import type { RecoverPorts } from './recover.ts';

/** Takes a record of `recovery`: a job, or rows that wait for an endpoint. A poisonous one falls into `recovery-dead`. */
export async function receive(
  ports: RecoverPorts & DrainPorts,
  record: SQSRecord,
  remainingMs: () => number,
): Promise<Verdict> {
  const message = readWork(record.body);
  if (message === undefined) {
    ports.log('message.poisonous', { messageId: record.messageId, queue: record.eventSourceARN });
    return 'falling';
  }
  if ('endpointId' in message) {
    const { organizationId, endpointId: id, turn } = message;
    await drain(ports, { id, organizationId }, turn);
    return 'done';
  }
  return recover(ports, message, {
    sentAtMs: Number(record.attributes.SentTimestamp),
    receiveCount: Number(record.attributes.ApproximateReceiveCount),
    remainingMs,
  });
}
