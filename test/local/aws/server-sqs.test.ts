import * as sqsSdk from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { definitionOf, only } from './a-queue.ts';
import { aws, clientOptions, faults } from './a-server.ts';

describe('SQS', () => {
  const sqs = () => new sqsSdk.SQSClient(clientOptions());

  async function aSqsQueue(name: string): Promise<string> {
    return (await aws.sqs.createQueue(definitionOf({ name }))).url;
  }

  test('a message goes through the SDK with its attributes, and its digests hold', async () => {
    const QueueUrl = await aSqsQueue('through-the-sdk');
    const MessageAttributes = {
      text: { DataType: 'String', StringValue: 'é' },
      bytes: { DataType: 'Binary', BinaryValue: Uint8Array.of(0, 1, 2) },
    };
    const sent = await sqs().send(
      new sqsSdk.SendMessageCommand({
        QueueUrl,
        MessageBody: 'hé',
        MessageAttributes,
        MessageGroupId: 'org_1',
      }),
    );
    const received = await sqs().send(
      new sqsSdk.ReceiveMessageCommand({
        QueueUrl,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
        WaitTimeSeconds: 20,
      }),
    );
    const message = only(received.Messages ?? []);
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: 'hé',
      MessageAttributes,
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
      Attributes: { ApproximateReceiveCount: '1', MessageGroupId: 'org_1' },
    });
    await sqs().send(new sqsSdk.DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    expect(aws.sqs.queueByName('through-the-sdk').counts().inFlight).toBe(0);
  });

  test('only the attributes that were asked for come along', async () => {
    const QueueUrl = await aSqsQueue('asked-for');
    const text = { DataType: 'String', StringValue: 'v' };
    const MessageAttributes = { 'trace.id': text, other: text };
    await sqs().send(new sqsSdk.SendMessageCommand({ QueueUrl, MessageBody: 'x', MessageAttributes }));
    const { Messages = [] } = await sqs().send(
      new sqsSdk.ReceiveMessageCommand({
        QueueUrl,
        MessageSystemAttributeNames: ['SentTimestamp'],
        MessageAttributeNames: ['trace.*'],
      }),
    );
    const message = only(Messages);
    expect(Object.keys(message.Attributes ?? {})).toEqual(['SentTimestamp']);
    expect(Object.keys(message.MessageAttributes ?? {})).toEqual(['trace.id']);
  });

  test('a batch fails entry by entry', async () => {
    const QueueUrl = await aSqsQueue('batches');
    const Entries = [
      { Id: 'good', MessageBody: 'a' },
      { Id: 'late', MessageBody: 'b', DelaySeconds: 901 },
    ];
    const sent = await sqs().send(new sqsSdk.SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(sent.Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(sent.Failed).toMatchObject([{ Id: 'late', Code: 'InvalidParameterValue', SenderFault: true }]);
    const { Messages = [] } = await sqs().send(new sqsSdk.ReceiveMessageCommand({ QueueUrl }));
    const { ReceiptHandle } = only(Messages);
    const handles = [
      { Id: 'good', ReceiptHandle },
      { Id: 'bad', ReceiptHandle: 'nonsense' },
    ];
    const changed = await sqs().send(
      new sqsSdk.ChangeMessageVisibilityBatchCommand({
        QueueUrl,
        Entries: handles.map((entry) => ({ ...entry, VisibilityTimeout: 60 })),
      }),
    );
    expect(changed.Failed).toMatchObject([{ Id: 'bad', Code: 'ReceiptHandleIsInvalid' }]);
    const deleted = await sqs().send(new sqsSdk.DeleteMessageBatchCommand({ QueueUrl, Entries: handles }));
    expect(deleted.Successful).toEqual([{ Id: 'good' }]);
    expect(deleted.Failed).toMatchObject([{ Id: 'bad' }]);
  });

  test.each<[string, { Id: string; MessageBody: string }[], string]>([
    ['an empty batch', [], 'EmptyBatchRequest'],
    [
      'eleven entries',
      Array.from({ length: 11 }, (_, n) => ({ Id: `${n}`, MessageBody: 'a' })),
      'TooManyEntriesInBatchRequest',
    ],
    ['one id twice', [entry('a'), entry('a')], 'BatchEntryIdsNotDistinct'],
    ['an odd id', [entry('a b')], 'InvalidBatchEntryId'],
    ['more than 1 MiB together', [entry('a', 600_000), entry('b', 600_000)], 'BatchRequestTooLong'],
  ])('%s is refused as a whole', async (name, Entries, code) => {
    const QueueUrl = await aSqsQueue(`refused-${name.replaceAll(' ', '-')}`);
    const sent = sqs().send(new sqsSdk.SendMessageBatchCommand({ QueueUrl, Entries }));
    await expect(sent).rejects.toMatchObject({ name: code });
  });

  test('queues are found by name and listed, with their attributes', async () => {
    const dead = await aws.sqs.createQueue(definitionOf({ name: 'found-dead' }));
    const redrive = { deadLetterQueueArn: dead.arn, maxReceiveCount: 5 };
    const queue = await aws.sqs.createQueue(definitionOf({ name: 'found', redrive }));
    const { QueueUrl } = await sqs().send(new sqsSdk.GetQueueUrlCommand({ QueueName: 'found' }));
    expect(QueueUrl).toBe(queue.url);
    const listed = await sqs().send(new sqsSdk.ListQueuesCommand({ QueueNamePrefix: 'found' }));
    expect(listed.QueueUrls).toEqual([dead.url, queue.url]);
    const sources = await sqs().send(new sqsSdk.ListDeadLetterSourceQueuesCommand({ QueueUrl: dead.url }));
    expect(sources.queueUrls).toEqual([queue.url]);
    const { Attributes } = await sqs().send(
      new sqsSdk.GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      QueueArn: queue.arn,
      ApproximateNumberOfMessages: '0',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 5 }),
    });
  });

  test('an unknown queue has the error the SDK knows', async () => {
    const missing = sqs().send(new sqsSdk.GetQueueUrlCommand({ QueueName: 'missing' }));
    await expect(missing).rejects.toBeInstanceOf(sqsSdk.QueueDoesNotExist);
  });

  test('a redrive is started, seen to complete, and a purge empties the queue', async () => {
    const dead = await aws.sqs.createQueue(definitionOf({ name: 'redriven-dead' }));
    const redrive = { deadLetterQueueArn: dead.arn, maxReceiveCount: 1 };
    const queue = await aws.sqs.createQueue(definitionOf({ name: 'redriven', redrive }));
    const QueueUrl = queue.url;
    await sqs().send(new sqsSdk.SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    await sqs().send(new sqsSdk.ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 }));
    await sqs().send(new sqsSdk.ReceiveMessageCommand({ QueueUrl }));
    await sqs().send(new sqsSdk.StartMessageMoveTaskCommand({ SourceArn: dead.arn }));
    await expect
      .poll(() => sqs().send(new sqsSdk.ListMessageMoveTasksCommand({ SourceArn: dead.arn })))
      .toMatchObject({ Results: [{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 }] });
    expect(queue.counts().visible).toBe(1);
    await sqs().send(new sqsSdk.PurgeQueueCommand({ QueueUrl }));
    expect(queue.counts().visible).toBe(0);
  });

  test('a caller that hangs up takes no message', async () => {
    const QueueUrl = await aSqsQueue('hung-up');
    const leaving = new AbortController();
    const polling = sqs().send(new sqsSdk.ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), {
      abortSignal: leaving.signal,
    });
    faults.next = () => {
      setTimeout(() => {
        leaving.abort();
      }, 20);
    };
    await expect(polling).rejects.toMatchObject({ name: 'AbortError' });
    faults.next = undefined;
    const next = sqs().send(new sqsSdk.ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await sqs().send(new sqsSdk.SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    expect(only((await next).Messages ?? []).Body).toBe('x');
  });

  test('an operation or a field it does not know is refused by name', async () => {
    const QueueUrl = await aSqsQueue('unknown');
    const tags = sqs().send(new sqsSdk.ListQueueTagsCommand({ QueueUrl }));
    await expect(tags).rejects.toMatchObject({ name: 'UnknownOperationException', message: /ListQueueTags/ });
    const attempt = sqs().send(new sqsSdk.ReceiveMessageCommand({ QueueUrl, ReceiveRequestAttemptId: 'x' }));
    await expect(attempt).rejects.toThrow('ReceiveRequestAttemptId');
  });

  function entry(Id: string, bytes = 1) {
    return { Id, MessageBody: 'a'.repeat(bytes) };
  }
});
