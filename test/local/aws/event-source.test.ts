import type { Context, SQSEvent } from 'aws-lambda';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { systemClock } from '../../../local/aws/clock.ts';
import {
  type EventSource,
  type EventSourceOptions,
  startEventSource,
} from '../../../local/aws/event-source.ts';
import { aSetting } from '../../../local/aws/setting.ts';
import { Sqs } from '../../../local/aws/sqs.ts';
import { aTestSetting, definitionOf, only } from './a-queue.ts';

const sources: EventSource[] = [];

afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.stop()));
});

/** A queue and a mapping; `handler` decides what the function answers. */
async function aMapping(
  handler: (event: SQSEvent, context: Context) => unknown,
  given: Partial<EventSourceOptions> = {},
) {
  const setting = aTestSetting();
  const sqs = new Sqs(setting);
  const queue = await sqs.createQueue(definitionOf());
  const batches: string[][] = [];
  const source = startEventSource({
    setting,
    sqs,
    queueArn: queue.arn,
    batchSize: 10,
    reportBatchItemFailures: true,
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:deliver',
    timeoutSeconds: 30,
    invoke: (event, context) => {
      batches.push(event.Records.map(({ body }) => body));
      return handler(event, context);
    },
    ...given,
  });
  sources.push(source);
  return { setting, sqs, queue, clock: setting.clock, batches, source };
}

const nothingLeft = { visible: 0, inFlight: 0, delayed: 0 };

describe('what the function gets', () => {
  test('are records as Lambda makes them, and a context that counts down', async () => {
    const seen: { event?: SQSEvent; context?: Context } = {};
    const { queue, clock } = await aMapping((event, context) => {
      Object.assign(seen, { event, context });
    });
    const attributes = { kind: { DataType: 'Binary', BinaryValue: 'AAEC' } };
    const sent = await queue.send({ body: 'hello', groupId: 'ep_1', attributes });
    await clock.advance(10);
    expect(only(seen.event?.Records ?? [])).toEqual({
      messageId: sent.id,
      receiptHandle: expect.any(String) as string,
      body: 'hello',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: String(sent.sentAt),
        SenderId: expect.any(String) as string,
        ApproximateFirstReceiveTimestamp: String(sent.sentAt),
        MessageGroupId: 'ep_1',
      },
      messageAttributes: {
        kind: { dataType: 'Binary', binaryValue: 'AAEC', stringListValues: [], binaryListValues: [] },
      },
      md5OfBody: '5d41402abc4b2a76b9719d911017c592',
      md5OfMessageAttributes: expect.stringMatching(/^[\da-f]{32}$/) as string,
      eventSource: 'aws:sqs',
      eventSourceARN: queue.arn,
      awsRegion: 'us-east-1',
    });
    expect(seen.context).toMatchObject({
      functionName: 'deliver',
      awsRequestId: expect.any(String) as string,
    });
    expect(seen.context?.getRemainingTimeInMillis()).toBe(29_990);
    expect(queue.counts()).toEqual(nothingLeft);
  });

  test('without a window is what is there, at most ten', async () => {
    const { queue, clock, batches } = await aMapping(() => null);
    await queue.sendAll(Array.from({ length: 12 }, (_, n) => ({ body: `${n}` })));
    await clock.advance(0);
    expect(batches.map((batch) => batch.length)).toEqual([10, 2]);
  });

  test('with a window is what came until it passed', async () => {
    const { queue, clock, batches } = await aMapping(() => null, {
      batchSize: 100,
      maximumBatchingWindowSeconds: 5,
    });
    for (const body of ['a', 'b', 'c']) {
      await queue.send({ body });
      await clock.advance(1000);
    }
    expect(batches).toEqual([]);
    await clock.advance(2000);
    expect(batches).toEqual([['a', 'b', 'c']]);
  });

  test('with a window goes at once when the batch is full', async () => {
    const { queue, clock, batches } = await aMapping(() => null, {
      batchSize: 25,
      maximumBatchingWindowSeconds: 5,
    });
    await queue.sendAll(Array.from({ length: 30 }, (_, n) => ({ body: `${n}` })));
    await clock.advance(0);
    expect(batches.map((batch) => batch.length)).toEqual([25]);
  });

  test('is never more than 6 MB', async () => {
    const { queue, clock, batches } = await aMapping(() => null);
    await queue.sendAll(Array.from({ length: 10 }, () => ({ body: 'a'.repeat(1_000_000) })));
    await clock.advance(0);
    expect(batches.map((batch) => batch.length)).toEqual([6, 4]);
    expect(queue.counts()).toEqual(nothingLeft);
  });
});

describe('what the function answers', () => {
  const failingFirst = ({ Records: [first] }: SQSEvent) => ({
    batchItemFailures: [{ itemIdentifier: first?.messageId }],
  });

  test.each<[string, (event: SQSEvent) => unknown, number]>([
    ['nothing is success of all', () => undefined, 0],
    ['null is success of all', () => null, 0],
    ['an empty object is success of all', () => ({}), 0],
    ['an empty list is success of all', () => ({ batchItemFailures: [] }), 0],
    ['null as the list is success of all', () => ({ batchItemFailures: null }), 0],
    ['one failed message is failure of that one', failingFirst, 1],
    [
      'an unknown message is failure of all',
      () => ({ batchItemFailures: [{ itemIdentifier: 'nobody' }] }),
      3,
    ],
    ['an empty id is failure of all', () => ({ batchItemFailures: [{ itemIdentifier: '' }] }), 3],
    ['a null id is failure of all', () => ({ batchItemFailures: [{ itemIdentifier: null }] }), 3],
    ['a wrong key in an item is failure of all', () => ({ batchItemFailures: [{ id: 'x' }] }), 3],
    ['a wrong key for the list is failure of all', () => ({ failures: [] }), 3],
    ['a list that is none is failure of all', () => ({ batchItemFailures: 'x' }), 3],
    ['text is failure of all', () => 'ok', 3],
    ['what JSON cannot carry is failure of all', () => 1n, 3],
    ['an error is failure of all', () => Promise.reject(new Error('boom')), 3],
  ])('%s', async (_name, handler, failed) => {
    const { queue, clock } = await aMapping(handler);
    await queue.sendAll(['a', 'b', 'c'].map((body) => ({ body })));
    await clock.advance(0);
    expect(queue.counts()).toEqual({ visible: 0, inFlight: failed, delayed: 0 });
  });

  test('is ignored unless the mapping reports batch item failures', async () => {
    const { queue, clock } = await aMapping(failingFirst, { reportBatchItemFailures: false });
    await queue.send({ body: 'a' });
    await clock.advance(0);
    expect(queue.counts()).toEqual(nothingLeft);
  });

  test('too late is failure of all, and is reported', async () => {
    const { queue, clock, setting } = await aMapping(() => new Promise(() => undefined), {
      timeoutSeconds: 20,
    });
    await queue.send({ body: 'a' });
    await clock.advance(20_000);
    expect(queue.counts().inFlight).toBe(1);
    expect(only(setting.reported)).toContain('timed out after 20 seconds');
  });
});

describe('a failed message', () => {
  test('comes back when its own visibility ends', async () => {
    let calls = 0;
    const { queue, clock, batches } = await aMapping(({ Records }) => {
      if (calls++ === 0)
        return { batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
      return null;
    });
    await queue.send({ body: 'a' });
    await clock.advance(29_999);
    expect(batches).toHaveLength(1);
    await clock.advance(1);
    expect(batches).toHaveLength(2);
    expect(queue.counts()).toEqual(nothingLeft);
  });

  test('comes back at once if the function set its visibility to 0, until it is dead', async () => {
    const setting = aTestSetting();
    const sqs = new Sqs(setting);
    const dead = await sqs.createQueue(definitionOf({ name: 'dead' }));
    const redrive = { deadLetterQueueArn: dead.arn, maxReceiveCount: 5 };
    const queue = await sqs.createQueue(definitionOf({ redrive }));
    let calls = 0;
    const source = startEventSource({
      setting,
      sqs,
      queueArn: queue.arn,
      batchSize: 10,
      reportBatchItemFailures: true,
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:deliver',
      timeoutSeconds: 30,
      invoke: ({ Records }) => {
        calls++;
        for (const { receiptHandle } of Records) queue.changeVisibility(receiptHandle, 0);
        return { batchItemFailures: Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
      },
    });
    sources.push(source);
    await queue.send({ body: 'a' });
    await setting.clock.advance(0);
    expect(calls).toBe(5);
    expect(dead.counts().visible).toBe(1);
  });
});

describe('several at a time', () => {
  test('no more invocations run than the concurrency allows, and a free one takes the next batch', async () => {
    const open: (() => void)[] = [];
    const { queue, clock, source } = await aMapping(
      () => new Promise<void>((resolve) => open.push(resolve)),
      {
        batchSize: 1,
        maximumConcurrency: 2,
      },
    );
    await queue.sendAll(Array.from({ length: 5 }, (_, n) => ({ body: `${n}` })));
    await clock.advance(0);
    expect(open).toHaveLength(2);
    expect(queue.counts()).toMatchObject({ visible: 3, inFlight: 2 });
    expect(source.isIdle()).toBe(false);
    open[0]?.();
    await clock.advance(0);
    expect(open).toHaveLength(3);
    for (let n = 1; n < 5; n++) {
      open[n]?.();
      await clock.advance(0);
    }
    expect(source.isIdle()).toBe(true);
    expect(queue.counts()).toEqual(nothingLeft);
  });

  test.each([
    ['a concurrency of 1', { maximumConcurrency: 1 }],
    ['a concurrency of 1,001', { maximumConcurrency: 1001 }],
    ['a batch size above 10 without a window', { batchSize: 11 }],
    ['a timeout longer than the visibility', { timeoutSeconds: 31 }],
  ])('%s is refused', async (_name, given) => {
    await expect(aMapping(() => null, given)).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
    });
  });
});

describe('stopping', () => {
  test('waits for what runs and takes nothing more', async () => {
    const open: (() => void)[] = [];
    const { queue, clock, source } = await aMapping(() => new Promise<void>((resolve) => open.push(resolve)));
    await queue.send({ body: 'a' });
    await clock.advance(0);
    const stopped = vi.fn();
    const stopping = source.stop().then(stopped);
    await queue.send({ body: 'b' });
    await clock.advance(0);
    expect(stopped).not.toHaveBeenCalled();
    only(open)();
    await stopping;
    expect(queue.counts()).toEqual({ visible: 1, inFlight: 0, delayed: 0 });
  });

  test('gives back at once what was waiting for its window', async () => {
    const { queue, clock, source, batches } = await aMapping(() => null, {
      batchSize: 100,
      maximumBatchingWindowSeconds: 300,
    });
    await queue.send({ body: 'a' });
    await clock.advance(1000);
    await source.stop();
    expect(queue.counts()).toEqual({ visible: 1, inFlight: 0, delayed: 0 });
    expect(batches).toEqual([]);
  });

  test('ends by itself when its queue is closed', async () => {
    const { queue, source } = await aMapping(() => null);
    queue.close();
    await source.stop();
  });
});

describe('in real time', () => {
  test('two thousand messages pass, each once, and one alone after them', async () => {
    const setting = aSetting({ clock: systemClock });
    const sqs = new Sqs(setting);
    const queue = await sqs.createQueue(definitionOf());
    const arrivals: string[] = [];
    const source = startEventSource({
      setting,
      sqs,
      queueArn: queue.arn,
      batchSize: 10,
      reportBatchItemFailures: true,
      functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:deliver',
      timeoutSeconds: 30,
      invoke: ({ Records }) => {
        arrivals.push(...Records.map(({ body }) => body));
      },
    });
    sources.push(source);
    for (let n = 0; n < 2000; n++) await queue.send({ body: `${n}`, groupId: `ep_${n % 20}` });
    await vi.waitFor(() => {
      expect(arrivals).toHaveLength(2000);
    });
    await queue.send({ body: 'alone' });
    await vi.waitFor(() => {
      expect(arrivals.at(-1)).toBe('alone');
    });
    expect(new Set(arrivals).size).toBe(2001);
  });
});
