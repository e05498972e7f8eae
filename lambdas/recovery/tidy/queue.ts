import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import type { BatchResultErrorEntry, SQSClient } from '@aws-sdk/client-sqs';
import type { Letter, LetterQueue } from './tidy.ts';

/** What SQS takes in one request. */
const batchMax = 10;

/**
 * A dead-letter queue to look through. Never send to it: SQS cannot redrive a queue that holds a message which was
 * sent there.
 *
 * @param holdSeconds how long a received letter is hidden from everybody else; longer than a run can last
 */
export function makeLetterQueue(client: SQSClient, QueueUrl: string, holdSeconds: number): LetterQueue {
  return {
    receive: async () => {
      const answer = await client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: batchMax,
          VisibilityTimeout: holdSeconds,
          // Asks all of SQS's servers; without a wait it asks some, and may find nothing where there is something.
          WaitTimeSeconds: 1,
        }),
      );
      return (answer.Messages ?? []).map(({ MessageId, ReceiptHandle, Body }) => ({
        id: MessageId ?? '',
        receipt: ReceiptHandle ?? '',
        body: Body ?? '',
      }));
    },

    remove: (letters) =>
      inBatches(letters, async (Entries) => {
        const entries = Entries.map(({ Id, ReceiptHandle }) => ({ Id, ReceiptHandle }));
        return client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: entries }));
      }),

    release: (letters) =>
      inBatches(letters, async (Entries) => {
        const entries = Entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
        return client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries: entries }));
      }),
  };
}

interface Entry {
  readonly Id: string;
  readonly ReceiptHandle: string;
}

/** Gives the letters that SQS did not take: a batch is answered with 200 even when some of its entries were refused. */
async function inBatches(
  letters: readonly Letter[],
  send: (entries: readonly Entry[]) => Promise<{ Failed?: BatchResultErrorEntry[] | undefined }>,
): Promise<readonly Letter[]> {
  const batches = Array.from({ length: Math.ceil(letters.length / batchMax) }, (_, index) =>
    letters.slice(index * batchMax, (index + 1) * batchMax),
  );
  const refused = await Promise.all(
    batches.map(async (batch) => {
      const answer = await send(
        batch.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt })),
      );
      const failed = new Set(answer.Failed?.map(({ Id }) => Id));
      return batch.filter((_, index) => failed.has(String(index)));
    }),
  );
  return refused.flat();
}
