import { expect } from 'vitest';
import { AwsError } from '../../../local/aws/aws-error.ts';
import { aQueueWithDeadLetters, definitionOf, only } from '../aws/a-queue.ts';
import { recorded } from './recorded.ts';

/** How a call is refused. */
function refusalOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error instanceof AwsError
      ? { code: error.code, message: error.message, status: error.status }
      : error;
  }
}

async function aDeadLetter(max = 1) {
  const queues = await aQueueWithDeadLetters(max);
  await queues.queue.send({ body: 'x' });
  await queues.queue.receive({ visibilityTimeoutSeconds: 0 });
  await queues.queue.receive();
  return queues;
}

recorded('move-needs-dlq', async () => {
  const { queue, dead, sqs } = await aQueueWithDeadLetters(1);
  const refusal = refusalOf(() => sqs.moveTasks.start({ sourceArn: queue.arn, destinationArn: dead.arn }));
  const message = 'Source queue must be configured as a Dead Letter Queue.';
  expect(refusal).toEqual({ code: 'InvalidParameterValue', message, status: 400 });
});

recorded('move-destination', async () => {
  const { dead, sqs } = await aQueueWithDeadLetters(1);
  const refusal = refusalOf(() =>
    sqs.moveTasks.start({ sourceArn: dead.arn, destinationArn: `${dead.arn}doesntexist` }),
  );
  const message = "The resource that you specified for the DestinationArn parameter doesn't exist.";
  expect(refusal).toEqual({ code: 'ResourceNotFoundException', message, status: 404 });
});

recorded('move-one-task', async () => {
  const { dead, sqs } = await aDeadLetter();
  sqs.moveTasks.start({ sourceArn: dead.arn, messagesPerSecond: 1 });
  expect(refusalOf(() => sqs.moveTasks.start({ sourceArn: dead.arn }))).toEqual({
    code: 'InvalidParameterValue',
    message:
      'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
    status: 400,
  });
});

recorded('move-no-task', async () => {
  const { sqs } = await aQueueWithDeadLetters(1);
  expect(refusalOf(() => sqs.moveTasks.cancel('none'))).toEqual({
    code: 'ResourceNotFoundException',
    message: 'Task does not exist.',
    status: 404,
  });
});

recorded('move-back', async () => {
  const { queue, dead, sqs, clock } = await aDeadLetter();
  const redrive = { deadLetterQueueArn: dead.arn, maxReceiveCount: 1 };
  const other = await sqs.createQueue(definitionOf({ name: 'other', redrive }));
  await other.send({ body: 'y' });
  await other.receive({ visibilityTimeoutSeconds: 0 });
  await other.receive();
  sqs.moveTasks.start({ sourceArn: dead.arn });
  await clock.advance(0);
  expect(only(await queue.receive()).message.body).toBe('x');
  expect(only(await other.receive()).message.body).toBe('y');
  expect(only(sqs.moveTasks.list(dead.arn))).toMatchObject({ status: 'COMPLETED', moved: 2, toMove: 2 });
});

recorded('move-handle', async () => {
  const { dead, sqs } = await aDeadLetter();
  const { handle } = sqs.moveTasks.start({ sourceArn: dead.arn, messagesPerSecond: 1 });
  sqs.moveTasks.cancel(handle);
  expect(only(sqs.moveTasks.list(dead.arn)).status).toBe('CANCELLED');
});

recorded('move-renews', async () => {
  const { queue, dead, sqs, clock } = await aDeadLetter();
  const { message: before } = only(await dead.receive({ visibilityTimeoutSeconds: 0 }));
  await clock.advance(1000);
  sqs.moveTasks.start({ sourceArn: dead.arn });
  await clock.advance(0);
  const { message, receiveCount } = only(await queue.receive());
  expect(message.id).not.toBe(before.id);
  expect({ receiveCount, sentAt: message.sentAt }).toEqual({ receiveCount: 1, sentAt: clock.now() });
});
