import { expect, test } from 'vitest';

import { aQueueWithDeadLetters, only } from './a-queue.ts';

/** Has a message die in `queue`, so that it lies in its dead-letter queue. */
async function aDeath({ queue, clock }: Awaited<ReturnType<typeof aQueueWithDeadLetters>>, body: string) {
  const sent = await queue.send({ body, groupId: 'org_1' });
  await queue.receive();
  await clock.advance(30_000);
  await queue.receive();
  return sent;
}

test('a message moved back to its source is new, with the same body and group', async () => {
  const queues = await aQueueWithDeadLetters(1);
  const { queue, dead, sqs, clock } = queues;
  const sent = await aDeath(queues, 'x');
  sqs.moveTasks.start({ sourceArn: dead.arn });
  await clock.advance(0);
  expect(dead.counts().visible).toBe(0);
  const { message, receiveCount } = only(await queue.receive());
  expect(message).toMatchObject({ body: 'x', groupId: 'org_1', sentAt: clock.now() });
  expect(message.id).not.toBe(sent.id);
  expect(message.sourceArn).toBeUndefined();
  expect(receiveCount).toBe(1);
  expect(only(sqs.moveTasks.list(dead.arn))).toMatchObject({ status: 'COMPLETED', moved: 1, toMove: 1 });
});

test('a message that was sent into the dead-letter queue fails the task and stays', async () => {
  const { dead, sqs, clock } = await aQueueWithDeadLetters(1);
  await dead.send({ body: 'sent here' });
  sqs.moveTasks.start({ sourceArn: dead.arn });
  await clock.advance(0);
  const failed = { status: 'FAILED', failureReason: 'CouldNotDetermineMessageSource', moved: 0 };
  expect(only(sqs.moveTasks.list(dead.arn))).toMatchObject(failed);
  expect(dead.counts().visible).toBe(1);
});

test('a named destination takes also what has no source', async () => {
  const { queue, dead, sqs, clock } = await aQueueWithDeadLetters(1);
  await dead.send({ body: 'sent here' });
  sqs.moveTasks.start({ sourceArn: dead.arn, destinationArn: queue.arn });
  await clock.advance(0);
  expect(queue.counts().visible).toBe(1);
});

test('a queue has one running task at a time', async () => {
  const queues = await aQueueWithDeadLetters(1);
  const { dead, sqs, clock } = queues;
  await aDeath(queues, 'a');
  await aDeath(queues, 'b');
  const task = sqs.moveTasks.start({ sourceArn: dead.arn, messagesPerSecond: 1 });
  await clock.advance(0);
  expect(() => sqs.moveTasks.start({ sourceArn: dead.arn })).toThrow('already a task running');
  sqs.moveTasks.cancel(task.handle);
  await clock.advance(10_000);
  expect(dead.counts().visible).toBe(1);
  sqs.moveTasks.start({ sourceArn: dead.arn });
  await clock.advance(0);
  expect(dead.counts().visible).toBe(0);
});

test('a rate is kept', async () => {
  const queues = await aQueueWithDeadLetters(1);
  const { queue, dead, sqs, clock } = queues;
  for (let n = 0; n < 5; n++) await aDeath(queues, `${n}`);
  sqs.moveTasks.start({ sourceArn: dead.arn, messagesPerSecond: 2 });
  await clock.advance(1999);
  expect(queue.counts().visible).toBe(4);
  await clock.advance(1);
  expect(queue.counts().visible).toBe(5);
});

test('a queue that is nobody’s dead-letter queue cannot be moved from', async () => {
  const { queue, sqs } = await aQueueWithDeadLetters(1);
  expect(() => sqs.moveTasks.start({ sourceArn: queue.arn })).toThrow('Dead Letter Queue');
});
