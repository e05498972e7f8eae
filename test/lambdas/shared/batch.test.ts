import type { SQSRecord } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { inTurn, workThroughBatch } from '../../../lambdas/shared/batch.ts';
import type { Verdict } from '../../../lambdas/shared/batch.ts';
import type { LogFields } from '../../../lambdas/shared/log.ts';

describe('inTurn', () => {
  it('works on items of one key one after the other, and on all others at once', async () => {
    const done: string[] = [];
    const ends = new Map<string, () => void>();
    const work = inTurn(
      (item: string) => (item.startsWith('?') ? undefined : item[0]),
      (item) => {
        done.push(item);
        return new Promise<void>((resolve) => ends.set(item, resolve));
      },
    );
    const turns = ['a1', 'a2', 'b1', '?1', '?2', 'a3'].map(work);
    expect(done).toEqual(['a1', 'b1', '?1', '?2']);
    for (const item of ['a1', 'a2', 'a3', 'b1', '?1', '?2']) {
      ends.get(item)?.();
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(turns);
    expect(done).toEqual(['a1', 'b1', '?1', '?2', 'a2', 'a3']);
  });

  it('an item has its turn whatever became of the one before', async () => {
    const work = inTurn(
      () => 'same',
      (item: number) => (item === 1 ? Promise.reject(new Error('away')) : Promise.resolve(item)),
    );
    const turns = [1, 2].map(work);
    await expect(turns[0]).rejects.toThrow('away');
    expect(await turns[1]).toBe(2);
  });
});

describe('workThroughBatch', () => {
  it('acknowledges what is done and gives back, by its id, all that is not', async () => {
    const { ports } = somePorts();
    const verdicts: Record<string, Verdict> = { a: 'done', b: 'failed', c: 'falling', d: 'done' };
    const answer = await workThroughBatch(ports, Object.keys(verdicts).map(aRecord), ({ messageId }) =>
      Promise.resolve(verdicts[messageId] ?? 'failed'),
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'b' }, { itemIdentifier: 'c' }] });
  });

  it('an empty batch has no failures', async () => {
    const { ports, released } = somePorts();
    const answer = await workThroughBatch(ports, [], () => Promise.resolve('falling'));
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(released).toEqual([]);
  });

  it('brings back at once only the messages that fall', async () => {
    const { ports, released } = somePorts();
    const verdicts: Record<string, Verdict> = { a: 'failed', b: 'falling', c: 'done' };
    await workThroughBatch(ports, Object.keys(verdicts).map(aRecord), ({ messageId }) =>
      Promise.resolve(verdicts[messageId] ?? 'done'),
    );
    expect(released).toEqual([['b']]);
  });

  it('a message whose work throws comes back, and the others are not touched by it', async () => {
    const { ports } = somePorts();
    const answer = await workThroughBatch(ports, ['a', 'b'].map(aRecord), ({ messageId }) =>
      messageId === 'a' ? Promise.reject(new Error('away')) : Promise.resolve('done'),
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }] });
  });

  it('work that throws before its first await fails only its own message', async () => {
    const { ports } = somePorts();
    const answer = await workThroughBatch(ports, ['a', 'b'].map(aRecord), ({ messageId }) => {
      if (messageId === 'a') throw new TypeError('away');
      return Promise.resolve('done');
    });
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }] });
  });

  it('a fault is logged by its class; its message, which may quote a payload, is not', async () => {
    const { ports, lines } = somePorts();
    await workThroughBatch(ports, [aRecord('a')], () => Promise.reject(new TypeError('planted payload')));
    expect(lines).toEqual([['record.failed', { messageId: 'a', fault: 'TypeError' }]]);
  });

  it('when messages cannot be released they fall all the same, more slowly', async () => {
    const { ports, lines } = somePorts();
    const release = () => Promise.reject(new Error('SQS is away'));
    const answer = await workThroughBatch({ ...ports, release }, [aRecord('a')], () =>
      Promise.resolve('falling'),
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }] });
    expect(lines).toEqual([['release.failed', { messages: 1, fault: 'Error' }]]);
  });

  it('a record that hangs keeps no other record waiting', async () => {
    const { ports } = somePorts();
    const lastIsDone = Promise.withResolvers<Verdict>();
    // The first record ends only once the last one has: in turn they would wait forever.
    const answer = await workThroughBatch(ports, ['a', 'b'].map(aRecord), ({ messageId }) => {
      if (messageId === 'a') return lastIsDone.promise;
      lastIsDone.resolve('done');
      return Promise.resolve('done');
    });
    expect(answer).toEqual({ batchItemFailures: [] });
  });
});

function somePorts() {
  const released: string[][] = [];
  const lines: [string, LogFields][] = [];
  const ports = {
    release: (records: readonly SQSRecord[]) => {
      released.push(records.map(({ messageId }) => messageId));
      return Promise.resolve();
    },
    log: (message: string, fields: LogFields) => {
      lines.push([message, fields]);
    },
  };
  return { ports, released, lines };
}

function aRecord(messageId: string): SQSRecord {
  return {
    messageId,
    receiptHandle: `receipt of ${messageId}`,
    body: '{}',
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '0',
      SenderId: 'somebody',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:eu-west-1:123456789012:tidings-deliveries',
    awsRegion: 'eu-west-1',
  };
}
