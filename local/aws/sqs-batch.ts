import { AwsError } from './aws-error.ts';
import { messageBytes, messageBytesMax, type OutgoingMessage } from './sqs-message.ts';

interface Entry {
  Id: string;
}

export interface BatchAnswer {
  Successful: object[];
  Failed: object[];
}

/** Refuses a whole batch that SQS would refuse: empty, more than ten, or ids that are odd or not distinct. */
export function checkEntries(entries: Entry[]): void {
  if (entries.length === 0) throw batchRefusal('EmptyBatchRequest', 'There must be at least one entry.');
  if (entries.length > 10)
    throw batchRefusal('TooManyEntriesInBatchRequest', 'At most 10 entries are allowed.');
  if (!entries.every(({ Id }) => /^[\w-]{1,80}$/.test(Id))) {
    throw batchRefusal('InvalidBatchEntryId', 'An id has 1 to 80 letters, digits, - and _.');
  }
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) {
    throw batchRefusal('BatchEntryIdsNotDistinct', 'Two entries have the same id.');
  }
}

/** SQS: the sum of a SendMessageBatch is bounded as one message is. */
export function checkBatchBytes(messages: OutgoingMessage[]): void {
  const bytes = messages.reduce((sum, message) => sum + messageBytes(message), 0);
  if (bytes > messageBytesMax) {
    throw batchRefusal(
      'BatchRequestTooLong',
      `Batch requests cannot be longer than ${messageBytesMax} bytes.`,
    );
  }
}

/** Runs each entry on its own: one that is refused fails alone, and the answer says which. */
export async function eachEntry<One extends Entry>(
  entries: One[],
  run: (entry: One) => object | Promise<object>,
): Promise<Partial<BatchAnswer>> {
  checkEntries(entries);
  const answer: BatchAnswer = { Successful: [], Failed: [] };
  for (const entry of entries) {
    try {
      answer.Successful.push({ Id: entry.Id, ...(await run(entry)) });
    } catch (error) {
      answer.Failed.push(failedEntry(entry, error));
    }
  }
  return withoutEmpty(answer);
}

/** Of a batch in which all was done there is no list of what failed, and the other way round. */
export function withoutEmpty({ Successful, Failed }: BatchAnswer): Partial<BatchAnswer> {
  return {
    ...(Successful.length === 0 ? {} : { Successful }),
    ...(Failed.length === 0 ? {} : { Failed }),
  };
}

/** How a refused entry is answered; an error that is not SQS's own rises. */
export function failedEntry({ Id }: Entry, error: unknown): object {
  if (!(error instanceof AwsError)) throw error;
  return { Id, SenderFault: error.status < 500, Code: error.code, Message: error.message };
}

/** The old query name stands beside the new one, as SQS sends both. */
function batchRefusal(code: string, message: string): AwsError {
  return new AwsError(code, message, { queryCode: `AWS.SimpleQueueService.${code}` });
}
