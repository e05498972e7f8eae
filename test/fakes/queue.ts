import type { SQSRecord } from 'aws-lambda';
import type { Outgoing, Send } from '../../lambdas/shared/queue.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { soon } from './soon.ts';

export interface Sent extends Outgoing {
  readonly id: string;
  readonly sentAtMs: number;
}

interface Held {
  readonly message: Sent;
  readonly record: SQSRecord | undefined;
  readonly visibleAtMs: number;
  readonly receiveCount: number;
}

export interface QueueRules {
  readonly now: Now;
  /** How long a received message is hidden. */
  readonly visibilityMs?: number;
  readonly maxReceiveCount?: number;
  readonly queueName?: string;
}

export type MemoryQueue = ReturnType<typeof memoryQueue>;

/** A standard queue in memory with its dead-letter queue: delays, receives that count, redrive. */
let queues = 0;

export function memoryQueue(rules: QueueRules) {
  const { now, visibilityMs = 270_000, maxReceiveCount = 5, queueName = 'retries' } = rules;
  const held = new Map<string, Held>();
  const dead: Sent[] = [];
  const sent: Sent[] = [];
  const name = `queue-${(queues += 1)}`;
  let count = 0;

  const put = (outgoing: Outgoing): void => {
    const message = { ...outgoing, id: `${name}-${(count += 1)}`, sentAtMs: now() };
    sent.push(message);
    const visibleAtMs = now() + outgoing.delaySeconds * 1000;
    held.set(message.id, { message, record: undefined, visibleAtMs, receiveCount: 0 });
  };
  const send: Send = (outgoing) =>
    soon(() => {
      refuseWhatSqsRefuses(outgoing);
      put(outgoing);
    });
  const isVisible = ({ visibleAtMs }: Held) => visibleAtMs <= now();
  const bury = () => {
    for (const one of [...held.values()].filter(isVisible)) {
      if (one.receiveCount < maxReceiveCount) continue;
      held.delete(one.message.id);
      dead.push(one.message);
    }
  };

  return {
    send,
    /** All that was ever sent. */
    sent,
    dead,
    /** Up to ten messages, the one that has been visible for longest first. */
    receive: (max = 10): SQSRecord[] => {
      bury();
      const ready = [...held.values()].filter(isVisible).toSorted((a, b) => a.visibleAtMs - b.visibleAtMs);
      return ready.slice(0, max).map(({ message, receiveCount }) => {
        const record = recordOf(message, { receiveCount: receiveCount + 1, nowMs: now(), queueName });
        const visibleAtMs = now() + visibilityMs;
        held.set(message.id, { message, record, visibleAtMs, receiveCount: receiveCount + 1 });
        return record;
      });
    },
    /** Whether a received message is one of this queue's. */
    holds: ({ messageId, receiptHandle }: SQSRecord): boolean =>
      held.get(messageId)?.record?.receiptHandle === receiptHandle,
    delete: ({ messageId }: SQSRecord): void => {
      held.delete(messageId);
    },
    /** Makes received messages visible at once; one that is not in flight is an error, as with SQS. */
    release: (records: readonly SQSRecord[]): Promise<void> =>
      soon(() => {
        for (const record of records) {
          const one = held.get(record.messageId);
          if (one?.record?.receiptHandle !== record.receiptHandle)
            throw new Error('the receipt is not valid');
          held.set(record.messageId, { ...one, record: undefined, visibleAtMs: now() });
        }
      }),
    /** When the next message can be received; `undefined` when there is none. */
    nextAtMs: (): number | undefined => {
      bury();
      return [...held.values()].map(({ visibleAtMs }) => visibleAtMs).toSorted((a, b) => a - b)[0];
    },
    /** Messages that wait or are in flight. */
    size: (): number => held.size,
    waiting: (): Sent[] => [...held.values()].map(({ message }) => message),
    /** "Start DLQ redrive" to the source: new messages of the same bodies. */
    redrive: (): void => {
      for (const { body, groupId } of dead.splice(0)) put({ body, groupId, delaySeconds: 0 });
    },
  };
}

function refuseWhatSqsRefuses({ body, delaySeconds, groupId }: Outgoing): void {
  if (!Number.isInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > 900) {
    throw new Error(`SQS takes delays of 0 to 900 whole seconds, not ${delaySeconds}`);
  }
  if (!/^[\x21-\x7e]{1,128}$/.test(groupId)) throw new Error('SQS takes group ids of 1 to 128 characters');
  if (body === '') throw new Error('SQS takes no empty message');
}

/** A message as Lambda hands it to a function. */
export function recordOf(
  { id, body, sentAtMs, groupId }: Sent,
  { receiveCount, nowMs, queueName = 'retries' }: { receiveCount: number; nowMs: number; queueName?: string },
): SQSRecord {
  return {
    messageId: id,
    receiptHandle: `${id} ${receiveCount}`,
    body,
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: String(sentAtMs),
      SenderId: 'local',
      ApproximateFirstReceiveTimestamp: String(nowMs),
      MessageGroupId: groupId,
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queueName}`,
    awsRegion: 'us-east-1',
  };
}
