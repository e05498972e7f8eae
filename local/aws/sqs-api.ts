import { z } from 'zod';

import { type Action, actionsOn, type Service, serviceOf } from './actions.ts';
import { queueAttributes } from './sqs-attributes.ts';
import { checkBatchBytes, checkEntries, eachEntry, failedEntry, withoutEmpty } from './sqs-batch.ts';
import { checkMessage, type OutgoingMessage } from './sqs-message.ts';
import { taskActions } from './sqs-task-api.ts';
import { outgoing, receivedFields, receiveFields, sendFields, sentFields } from './sqs-wire.ts';
import type { Sqs } from './sqs.ts';

const action = actionsOn<Sqs>('InvalidParameterValue');
const QueueUrl = z.string();
const ReceiptHandle = z.string();
const Id = z.string();
const sendBatchInput = z.strictObject({ QueueUrl, Entries: z.array(z.strictObject({ Id, ...sendFields })) });

/** SQS as the SDK speaks to it (AmazonSQS.*, JSON protocol). */
export function sqsService(sqs: Sqs): Service {
  return serviceOf(sqs, { ...messageActions, ...queueActions, ...taskActions });
}

const messageActions: Record<string, Action<Sqs>> = {
  SendMessage: action(z.strictObject({ QueueUrl, ...sendFields }), async (sqs, input) =>
    sentFields(await sqs.queueByUrl(input.QueueUrl).send(outgoing(input))),
  ),
  SendMessageBatch: action(sendBatchInput, sendBatch),
  ReceiveMessage: action(z.strictObject({ QueueUrl, ...receiveFields }), async (sqs, input, signal) => {
    const received = await sqs.queueByUrl(input.QueueUrl).receive({
      max: input.MaxNumberOfMessages,
      visibilityTimeoutSeconds: input.VisibilityTimeout,
      waitSeconds: input.WaitTimeSeconds,
      signal,
    });
    return received.length === 0 ? {} : { Messages: received.map((one) => receivedFields(one, input)) };
  }),
  DeleteMessage: action(z.strictObject({ QueueUrl, ReceiptHandle }), async (sqs, input) => {
    await sqs.queueByUrl(input.QueueUrl).delete(input.ReceiptHandle);
    return {};
  }),
  DeleteMessageBatch: action(
    z.strictObject({ QueueUrl, Entries: z.array(z.strictObject({ Id, ReceiptHandle })) }),
    (sqs, input) => {
      const queue = sqs.queueByUrl(input.QueueUrl);
      return eachEntry(input.Entries, async (entry) => {
        await queue.delete(entry.ReceiptHandle);
        return {};
      });
    },
  ),
  ChangeMessageVisibility: action(
    z.strictObject({ QueueUrl, ReceiptHandle, VisibilityTimeout: z.number() }),
    (sqs, input) => {
      sqs.queueByUrl(input.QueueUrl).changeVisibility(input.ReceiptHandle, input.VisibilityTimeout);
      return {};
    },
  ),
  ChangeMessageVisibilityBatch: action(
    z.strictObject({
      QueueUrl,
      Entries: z.array(z.strictObject({ Id, ReceiptHandle, VisibilityTimeout: z.number() })),
    }),
    (sqs, input) => {
      const queue = sqs.queueByUrl(input.QueueUrl);
      return eachEntry(input.Entries, (entry) => {
        queue.changeVisibility(entry.ReceiptHandle, entry.VisibilityTimeout);
        return {};
      });
    },
  ),
};

const queueActions: Record<string, Action<Sqs>> = {
  GetQueueUrl: action(
    z.strictObject({ QueueName: z.string(), QueueOwnerAWSAccountId: z.string().optional() }),
    (sqs, input) => ({ QueueUrl: sqs.queueByName(input.QueueName).url }),
  ),
  GetQueueAttributes: action(
    z.strictObject({ QueueUrl, AttributeNames: z.array(z.string()).optional() }),
    (sqs, input) => ({ Attributes: queueAttributes(sqs.queueByUrl(input.QueueUrl), input.AttributeNames) }),
  ),
  ListQueues: action(
    z.strictObject({ QueueNamePrefix: z.string().optional(), MaxResults: z.number().optional() }),
    (sqs, { QueueNamePrefix = '', MaxResults = 1000 }) => {
      const found = sqs.queues().filter(({ definition }) => definition.name.startsWith(QueueNamePrefix));
      return { QueueUrls: found.slice(0, MaxResults).map(({ url }) => url) };
    },
  ),
  ListDeadLetterSourceQueues: action(
    z.strictObject({ QueueUrl, MaxResults: z.number().optional() }),
    (sqs, input) => ({
      queueUrls: sqs
        .sourcesOf(sqs.queueByUrl(input.QueueUrl))
        .slice(0, input.MaxResults ?? 1000)
        .map(({ url }) => url),
    }),
  ),
  PurgeQueue: action(z.strictObject({ QueueUrl }), async (sqs, input) => {
    await sqs.queueByUrl(input.QueueUrl).purge();
    return {};
  }),
};

/** The refused fail alone; the others go on the shelf together and become visible together. */
async function sendBatch(sqs: Sqs, input: z.output<typeof sendBatchInput>): Promise<object> {
  const queue = sqs.queueByUrl(input.QueueUrl);
  checkEntries(input.Entries);
  checkBatchBytes(
    input.Entries.map(({ MessageBody, MessageAttributes }) => ({
      body: MessageBody,
      attributes: MessageAttributes,
    })),
  );
  const accepted: { id: string; message: OutgoingMessage }[] = [];
  const failed: object[] = [];
  for (const entry of input.Entries) {
    try {
      const message = outgoing(entry);
      checkMessage(message);
      accepted.push({ id: entry.Id, message });
    } catch (error) {
      failed.push(failedEntry(entry, error));
    }
  }
  const sent = await queue.sendAll(accepted.map(({ message }) => message));
  const successful = sent.map((stored, index) => ({ Id: accepted[index]?.id, ...sentFields(stored) }));
  return withoutEmpty({ Successful: successful, Failed: failed });
}
