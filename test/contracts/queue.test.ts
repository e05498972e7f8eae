import { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeRelease, makeSend } from '../../lambdas/shared/queue.ts';
import type { Outgoing, Send } from '../../lambdas/shared/queue.ts';
import { startLocalAws } from '../../local/aws/aws.ts';
import type { LocalAws } from '../../local/aws/aws.ts';
import { manualClock } from '../../local/aws/clock.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { aClock } from '../fakes/clock.ts';
import { memoryQueue, recordOf } from '../fakes/queue.ts';

const clock = manualClock();
const calls: { action: string; input: unknown }[] = [];
let aws: LocalAws;
let sqs: SQSClient;
beforeAll(async () => {
  aws = await startLocalAws({
    setting: { clock },
    beforeCall: (_service, action, input) => {
      calls.push({ action, input });
      return Promise.resolve();
    },
  });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  sqs = new SQSClient({ endpoint: aws.server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
});
afterAll(() => aws.close());

/** A queue as sender and receiver see it, with a time that can be moved. */
interface Line {
  readonly send: Send;
  readonly release: (records: readonly SQSRecord[]) => Promise<void>;
  readonly receive: () => Promise<SQSRecord[]>;
  readonly pass: (ms: number) => Promise<void>;
}

const visibilitySeconds = 30;
let queues = 0;

async function aQueue(): Promise<Queue> {
  return aws.sqs.createQueue({
    name: `queue-${(queues += 1)}`,
    visibilityTimeoutSeconds: visibilitySeconds,
    messageRetentionSeconds: 345_600,
    delaySeconds: 0,
  });
}

/** What is visible now, as Lambda would hand it over. */
async function receiveFrom(queue: Queue): Promise<SQSRecord[]> {
  const received = await queue.receive({ max: 10 });
  return received.map(({ message, receiptHandle, receiveCount }) => {
    const { id, body, groupId = '', sentAt: sentAtMs } = message;
    const sent = { id, body, groupId, sentAtMs, delaySeconds: 0 };
    const record = recordOf(sent, { receiveCount, nowMs: clock.now() });
    return { ...record, receiptHandle, eventSourceARN: queue.arn };
  });
}

const lines: [string, () => Promise<Line>][] = [
  [
    'memory',
    () => {
      const time = aClock();
      const queue = memoryQueue({ now: time.now, visibilityMs: visibilitySeconds * 1000 });
      return Promise.resolve({
        send: queue.send,
        release: queue.release,
        receive: () => Promise.resolve(queue.receive()),
        pass: (ms) => {
          time.pass(ms);
          return Promise.resolve();
        },
      });
    },
  ],
  [
    'SQS',
    async () => {
      const queue = await aQueue();
      return {
        send: makeSend(sqs, queue.url),
        release: makeRelease(sqs, [queue.url]),
        receive: () => receiveFrom(queue),
        pass: (ms) => clock.advance(ms),
      };
    },
  ],
];

const aMessage = (body: string, delaySeconds = 0): Outgoing => ({ body, delaySeconds, groupId: 'ep_1' });

describe.each(lines)('a queue in %s', (_, open) => {
  let line: Line;
  beforeEach(async () => {
    line = await open();
  });
  const bodies = async () => (await line.receive()).map(({ body }) => body).toSorted();

  test('hands out a message as it was sent, in its group and with the time of its sending', async () => {
    await line.send(aMessage('{"v":1}'));
    const [record, ...others] = await line.receive();
    expect(others).toEqual([]);
    expect(record?.body).toBe('{"v":1}');
    expect(record?.attributes).toMatchObject({ ApproximateReceiveCount: '1', MessageGroupId: 'ep_1' });
    expect(Number(record?.attributes.SentTimestamp)).toBeGreaterThan(0);
  });

  test('hands out a delayed message when its delay is over, and not before', async () => {
    await line.send(aMessage('later', 900));
    await line.pass(899_000);
    expect(await bodies()).toEqual([]);
    await line.pass(1_000);
    expect(await bodies()).toEqual(['later']);
  });

  test('hands out a message again when its visibility ends, and counts', async () => {
    await line.send(aMessage('again'));
    await line.receive();
    expect(await line.receive()).toEqual([]);
    await line.pass(visibilitySeconds * 1000);
    const [record] = await line.receive();
    expect(record?.attributes.ApproximateReceiveCount).toBe('2');
  });

  test('hands out a released message at once', async () => {
    await line.send(aMessage('one'));
    await line.send(aMessage('two'));
    const records = await line.receive();
    await line.release(records.filter(({ body }) => body === 'one'));
    expect(await bodies()).toEqual(['one']);
  });

  test('releases nothing when there is nothing to release', async () => {
    await expect(line.release([])).resolves.toBeUndefined();
  });

  test('takes no delay of more than 900 seconds', async () => {
    await expect(line.send(aMessage('too late', 901))).rejects.toThrow();
    expect(await bodies()).toEqual([]);
  });

  test('that refuses one message of many fails only that one', async () => {
    const sends = [
      aMessage('a'),
      aMessage('b', 901),
      aMessage('c'),
      { ...aMessage('d'), groupId: '' },
      aMessage('e'),
    ];
    const outcomes = await Promise.allSettled(sends.map((message) => line.send(message)));
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([true, false, true, false, true]);
    expect(await bodies()).toEqual(['a', 'c', 'e']);
  });
});

describe('requests to SQS', () => {
  const requests = (action: string) => calls.filter((call) => call.action === action);
  beforeEach(() => {
    calls.length = 0;
  });

  test('carry up to ten messages that are sent at the same time', async () => {
    const queue = await aQueue();
    const send = makeSend(sqs, queue.url);
    await Promise.all(Array.from({ length: 23 }, (_, index) => send(aMessage(String(index)))));
    const sizes = requests('SendMessageBatch').map(
      ({ input }) => (input as { Entries: unknown[] }).Entries.length,
    );
    expect(sizes).toEqual([10, 10, 3]);
    expect(queue.counts().visible).toBe(23);
  });

  test('carry no more than a request may have: ten large events were refused, all of them', async () => {
    const queue = await aQueue();
    const send = makeSend(sqs, queue.url);
    const large = '€'.repeat(90_000);
    await Promise.all(Array.from({ length: 10 }, () => send(aMessage(large))));
    expect(requests('SendMessageBatch')).toHaveLength(4);
    expect(queue.counts().visible).toBe(10);
  });

  test('that fail as a whole fail every message of theirs, without quoting it', async () => {
    const send = makeSend(sqs, `${aws.server.endpoint}/000000000000/nowhere`);
    const outcomes = await Promise.allSettled([send(aMessage('PLANTED')), send(aMessage('PLANTED'))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(
      JSON.stringify(outcomes.map((outcome) => ('reason' in outcome ? String(outcome.reason) : ''))),
    ).not.toContain('PLANTED');
  });

  test('release each message to the queue it came from', async () => {
    const [one, two] = [await aQueue(), await aQueue()];
    const release = makeRelease(sqs, [one.url, two.url]);
    await makeSend(sqs, one.url)(aMessage('from one'));
    await makeSend(sqs, two.url)(aMessage('from two'));
    await release([...(await receiveFrom(two)), ...(await receiveFrom(one))]);
    expect((await receiveFrom(one)).map(({ body }) => body)).toEqual(['from one']);
    expect((await receiveFrom(two)).map(({ body }) => body)).toEqual(['from two']);
    expect(requests('ChangeMessageVisibilityBatch')).toHaveLength(2);
  });
});
