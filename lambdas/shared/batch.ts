import type { SQSBatchResponse, SQSRecord } from 'aws-lambda';
import { nameOfFault } from './log.ts';
import type { Log } from './log.ts';
import { withinTrace } from './trace.ts';

/**
 * What became of a message. `done` deletes it; `failed` lets it come back when its visibility ends; `falling`
 * brings it back at once, so that SQS's own redrive moves it to the dead-letter queue.
 */
export type Verdict = 'done' | 'failed' | 'falling';

export interface BatchPorts {
  /** Makes messages visible again at once. */
  readonly release: (records: readonly SQSRecord[]) => Promise<void>;
  readonly log: Log;
}

/**
 * The same work, but items of one key are worked on one after the other, in the order in which it is asked for.
 *
 * @param keyOf `undefined` for an item that waits for no other
 */
export function inTurn<Item, Result>(
  keyOf: (item: Item) => string | undefined,
  work: (item: Item) => Promise<Result>,
): (item: Item) => Promise<Result> {
  const turns = new Map<string, Promise<unknown>>();
  return (item) => {
    const key = keyOf(item);
    if (key === undefined) return work(item);
    const turn = turns.get(key)?.then(() => work(item)) ?? work(item);
    // Whatever becomes of it, the next one has its turn.
    const isOver = turn.catch(() => undefined);
    turns.set(key, isOver);
    return turn;
  };
}

/**
 * Works on all records of a batch at the same time, so that a slow one delays no other, and never throws:
 * a throw would fail the whole batch, and what had been posted would be posted again.
 *
 * @returns ids of the messages that are not done. An unknown or empty id would fail the whole batch, too.
 */
export async function workThroughBatch(
  ports: BatchPorts,
  records: readonly SQSRecord[],
  work: (record: SQSRecord) => Promise<Verdict>,
): Promise<SQSBatchResponse> {
  const verdicts = await Promise.all(
    records.map(async (record) => {
      try {
        return { record, verdict: await withinTrace(record.attributes.AWSTraceHeader, () => work(record)) };
      } catch (fault) {
        ports.log('record.failed', { messageId: record.messageId, fault: nameOfFault(fault) });
        return { record, verdict: 'failed' as const };
      }
    }),
  );
  const falling = verdicts.filter(({ verdict }) => verdict === 'falling').map(({ record }) => record);
  if (falling.length > 0) {
    // If this fails, they fall more slowly: each time their visibility ends.
    await ports.release(falling).catch((fault: unknown) => {
      ports.log('release.failed', { messages: falling.length, fault: nameOfFault(fault) });
    });
  }
  return {
    batchItemFailures: verdicts
      .filter(({ verdict }) => verdict !== 'done')
      .map(({ record }) => ({ itemIdentifier: record.messageId })),
  };
}
