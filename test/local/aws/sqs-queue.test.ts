import { describe, expect, test } from 'vitest';

import { aQueue, aQueueWithDeadLetters, definitionOf, only } from './a-queue.ts';

describe('delay and visibility', () => {
  test('a delayed message is received no earlier than its delay says', async () => {
    const { queue, clock } = await aQueue();
    await queue.send({ body: 'later', delaySeconds: 900 });
    expect(queue.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 1 });
    await clock.advance(899_999);
    expect(await queue.receive()).toEqual([]);
    await clock.advance(1);
    expect(only(await queue.receive()).message.body).toBe('later');
  });

  test.each([-1, 901, 1.5])('a delay of %d seconds is refused', async (delaySeconds) => {
    const { queue } = await aQueue();
    await expect(queue.send({ body: 'x', delaySeconds })).rejects.toMatchObject({
      code: 'InvalidParameterValue',
    });
  });

  test('a delay of the message goes before that of the queue, even if it is none', async () => {
    const { queue } = await aQueue({ delaySeconds: 60 });
    await queue.send({ body: 'now', delaySeconds: 0 });
    await queue.send({ body: 'later' });
    expect(queue.counts()).toMatchObject({ visible: 1, delayed: 1 });
  });

  test('a received message is hidden for the visibility timeout and then comes again, counted', async () => {
    const { queue, clock } = await aQueue();
    await queue.send({ body: 'x' });
    expect(only(await queue.receive()).receiveCount).toBe(1);
    await clock.advance(29_999);
    expect(await queue.receive()).toEqual([]);
    expect(queue.counts()).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
    await clock.advance(1);
    expect(only(await queue.receive()).receiveCount).toBe(2);
  });

  test('a visibility of 0 brings a message back at once, and the next receive has the default again', async () => {
    const { queue, clock } = await aQueue();
    await queue.send({ body: 'x' });
    queue.changeVisibility(only(await queue.receive()).receiptHandle, 0);
    only(await queue.receive());
    await clock.advance(29_999);
    expect(await queue.receive()).toEqual([]);
  });

  test('a visibility beyond 12 hours is refused, and so is what would extend a receipt beyond them', async () => {
    const { queue, clock } = await aQueue();
    await queue.send({ body: 'x' });
    const { receiptHandle } = only(await queue.receive({ visibilityTimeoutSeconds: 43_200 }));
    expect(() => {
      queue.changeVisibility(receiptHandle, 43_201);
    }).toThrow('43200');
    await clock.advance(1000);
    expect(() => {
      queue.changeVisibility(receiptHandle, 43_200);
    }).toThrow('beyond the limit');
    queue.changeVisibility(receiptHandle, 43_199);
  });

  test('the visibility of a message that is deleted cannot be changed', async () => {
    const { queue } = await aQueue();
    await queue.send({ body: 'x' });
    const { receiptHandle } = only(await queue.receive());
    await queue.delete(receiptHandle);
    expect(() => {
      queue.changeVisibility(receiptHandle, 5);
    }).toThrow('does not exist');
  });

  test('a message older than the retention vanishes, whatever its state', async () => {
    const { queue, clock } = await aQueue({ messageRetentionSeconds: 60, visibilityTimeoutSeconds: 600 });
    await queue.send({ body: 'in flight' });
    await queue.receive();
    await queue.send({ body: 'visible' });
    await queue.send({ body: 'delayed', delaySeconds: 900 });
    await clock.advance(60_000);
    expect(queue.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });
});

describe('receipts', () => {
  test('a stale receipt handle deletes nothing and answers success', async () => {
    const { queue, clock } = await aQueue();
    await queue.send({ body: 'x' });
    const stale = only(await queue.receive());
    await clock.advance(30_000);
    const fresh = only(await queue.receive());
    await queue.delete(stale.receiptHandle);
    expect(queue.counts().inFlight).toBe(1);
    await queue.delete(fresh.receiptHandle);
    await queue.delete(fresh.receiptHandle);
    expect(queue.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  test('the latest receipt handle deletes a message even when its visibility has ended', async () => {
    const { queue, clock } = await aQueue();
    await queue.send({ body: 'x' });
    const { receiptHandle } = only(await queue.receive());
    await clock.advance(30_000);
    await queue.delete(receiptHandle);
    expect(await queue.receive()).toEqual([]);
  });

  test('a handle that never was one is refused', async () => {
    const { queue } = await aQueue();
    await expect(queue.delete('nonsense')).rejects.toMatchObject({ code: 'ReceiptHandleIsInvalid' });
  });
});

describe('long polling', () => {
  test('a waiting receiver gets a message as soon as it is sent', async () => {
    const { queue } = await aQueue();
    const waiting = queue.receive({ waitSeconds: 20 });
    await queue.send({ body: 'x' });
    expect(only(await waiting).message.body).toBe('x');
  });

  test('a waiting receiver gets nothing when its time is up', async () => {
    const { queue, clock } = await aQueue();
    const waiting = queue.receive({ waitSeconds: 20 });
    await clock.advance(20_000);
    expect(await waiting).toEqual([]);
  });

  test('a receiver that leaves as a message comes leaves it to the next one', async () => {
    const { queue } = await aQueue();
    const leaving = new AbortController();
    const first = queue.receive({ waitSeconds: Infinity, signal: leaving.signal });
    const second = queue.receive({ waitSeconds: Infinity });
    const sent = queue.send({ body: 'x' });
    leaving.abort();
    await sent;
    expect(await first).toEqual([]);
    expect(only(await second).message.body).toBe('x');
  });

  test('closing the queue lets every waiting receiver go', async () => {
    const { queue } = await aQueue();
    const waiting = queue.receive({ waitSeconds: Infinity });
    queue.close();
    expect(await waiting).toEqual([]);
  });
});

describe('what may be sent', () => {
  test.each<[string, Parameters<Awaited<ReturnType<typeof aQueue>>['queue']['send']>[0]]>([
    ['an empty body', { body: '' }],
    ['a body with a character outside XML', { body: 'a\u0000' }],
    ['more than 1 MiB', { body: 'a'.repeat(1_048_577) }],
    ['more than 1 MiB with its attributes', { body: 'a'.repeat(1_048_576), attributes: text('b') }],
    ['an empty group id', { body: 'a', groupId: '' }],
    ['a group id of 129 characters', { body: 'a', groupId: 'g'.repeat(129) }],
    ['a group id with a space', { body: 'a', groupId: 'a b' }],
    ['a group id with a letter beyond ASCII', { body: 'a', groupId: 'é' }],
    ['eleven attributes', { body: 'a', attributes: elevenTexts() }],
    ['an attribute without a value', { body: 'a', attributes: { n: { DataType: 'String' } } }],
    [
      'an attribute of an unknown type',
      { body: 'a', attributes: { n: { DataType: 'Text', StringValue: 'v' } } },
    ],
  ])('%s is refused', async (_name, message) => {
    const { queue } = await aQueue();
    await expect(queue.send(message)).rejects.toMatchObject({ status: 400 });
    expect(queue.counts().visible).toBe(0);
  });

  test('exactly 1 MiB and a group id of 128 characters of punctuation are taken', async () => {
    const { queue } = await aQueue();
    await queue.send({ body: 'a'.repeat(1_048_576) });
    await queue.send({ body: 'a', groupId: '!~'.repeat(64) });
    expect(queue.counts().visible).toBe(2);
  });

  function elevenTexts() {
    return Object.fromEntries(
      Array.from({ length: 11 }, (_, n) => [`n${n}`, { DataType: 'String', StringValue: 'v' }]),
    );
  }

  function text(name: string) {
    return { [name]: { DataType: 'String', StringValue: 'v' } };
  }
});

describe('dead letters', () => {
  test('a message is received as often as maxReceiveCount says and then moves, keeping what it was', async () => {
    const { queue, dead, clock } = await aQueueWithDeadLetters(2);
    const attributes = { kind: { DataType: 'String', StringValue: 'probe' } };
    const sent = await queue.send({ body: 'x', groupId: 'org_1', attributes });
    for (let receive = 1; receive <= 2; receive++) {
      expect(only(await queue.receive()).receiveCount).toBe(receive);
      await clock.advance(30_000);
    }
    expect(dead.counts().visible).toBe(0);
    expect(await queue.receive()).toEqual([]);
    expect(queue.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    const { message, receiveCount } = only(await dead.receive());
    expect(message).toMatchObject({
      id: sent.id,
      body: 'x',
      groupId: 'org_1',
      attributes,
      sentAt: sent.sentAt,
    });
    expect(message.sourceArn).toBe(queue.arn);
    expect(receiveCount).toBe(3);
  });

  test('retention in the dead-letter queue counts from the original send', async () => {
    const { queue, dead, clock } = await aQueueWithDeadLetters(1);
    await queue.send({ body: 'x' });
    await queue.receive();
    await clock.advance(259_200_000);
    await queue.receive();
    await clock.advance(1_209_600_000 - 259_200_000 - 1);
    expect(dead.counts().visible).toBe(1);
    await clock.advance(1);
    expect(dead.counts().visible).toBe(0);
  });

  test('a receiver that long-polls is not sent away because a message moved', async () => {
    const { queue, clock } = await aQueueWithDeadLetters(1);
    await queue.send({ body: 'moves' });
    await queue.receive();
    const waiting = queue.receive({ waitSeconds: Infinity });
    await clock.advance(30_000);
    await queue.send({ body: 'next' });
    expect(only(await waiting).message.body).toBe('next');
  });

  test('a queue whose dead-letter queue does not exist cannot be made', async () => {
    const { sqs, queue } = await aQueue();
    const redrive = { deadLetterQueueArn: `${queue.arn}-missing`, maxReceiveCount: 3 };
    const made = sqs.createQueue(definitionOf({ name: 'other', redrive }));
    await expect(made).rejects.toMatchObject({ code: 'QueueDoesNotExist' });
  });
});

describe('fair groups', () => {
  test('once a group is noisy, messages of other groups are received before its own', async () => {
    const { queue } = await aQueue();
    await queue.sendAll(Array.from({ length: 100 }, (_, n) => ({ body: `${n}`, groupId: 'noisy' })));
    for (let batch = 0; batch < 3; batch++) await queue.receive({ max: 10 });
    await queue.send({ body: 'quiet', groupId: 'quiet' });
    const bodies = (await queue.receive({ max: 3 })).map(({ message }) => message.body);
    expect(bodies).toEqual(['quiet', '30', '31']);
  });

  test('below thirty messages in flight no group is noisy', async () => {
    const { queue } = await aQueue();
    await queue.sendAll(Array.from({ length: 100 }, (_, n) => ({ body: `${n}`, groupId: 'busy' })));
    await queue.receive({ max: 10 });
    await queue.receive({ max: 10 });
    await queue.send({ body: 'quiet', groupId: 'quiet' });
    expect(only(await queue.receive()).message.body).toBe('20');
  });

  test('a group stops being noisy when its messages in flight are deleted', async () => {
    const { queue } = await aQueue();
    await queue.sendAll(Array.from({ length: 40 }, (_, n) => ({ body: `${n}`, groupId: 'noisy' })));
    for (let batch = 0; batch < 3; batch++) {
      for (const { receiptHandle } of await queue.receive({ max: 10 })) await queue.delete(receiptHandle);
    }
    await queue.send({ body: 'quiet', groupId: 'quiet' });
    expect(only(await queue.receive()).message.body).toBe('30');
  });
});

describe('in flight', () => {
  test('past 120,000 messages in flight long polling yields nothing, and goes on when one is deleted', async () => {
    const { queue } = await aQueue({ visibilityTimeoutSeconds: 43_200 });
    const body = { body: 'x' };
    await queue.sendAll(Array.from({ length: 120_001 }, () => body));
    let last = '';
    for (let received = 0; received < 120_000; received += 10) {
      last = (await queue.receive({ max: 10 })).at(-1)?.receiptHandle ?? '';
    }
    await expect(queue.receive()).rejects.toMatchObject({ code: 'OverLimit' });
    const waiting = queue.receive({ waitSeconds: Infinity });
    await queue.delete(last);
    only(await waiting);
  });
});
