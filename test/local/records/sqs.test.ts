import * as sdk from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { aws, clientOptions } from '../aws/a-server.ts';
import { aQueue, aQueueWithDeadLetters, definitionOf, only } from '../aws/a-queue.ts';
import { recorded } from './recorded.ts';

const sqs = new sdk.SQSClient(clientOptions());
const aSqsQueue = async (name: string) => (await aws.sqs.createQueue(definitionOf({ name }))).url;
const refusalOf = async (sent: Promise<unknown>) => {
  const error: unknown = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof sdk.SQSServiceException
    ? { name: error.name, message: error.message, status: error.$metadata.httpStatusCode }
    : error;
};

recorded('sqs-old-handle', async () => {
  const { queue } = await aQueue();
  await queue.send({ body: 'x' });
  const old = only(await queue.receive({ visibilityTimeoutSeconds: 0 }));
  only(await queue.receive({ visibilityTimeoutSeconds: 3 }));
  queue.changeVisibility(old.receiptHandle, 0);
  only(await queue.receive());
});

recorded('sqs-ended-handle', async () => {
  const { queue, clock } = await aQueue();
  await queue.send({ body: 'x' });
  const { receiptHandle } = only(await queue.receive());
  await clock.advance(30_000);
  queue.changeVisibility(receiptHandle, 5);
  expect(queue.counts()).toMatchObject({ visible: 1 });
});

recorded('sqs-receive-visibility', async () => {
  const { queue } = await aQueue();
  await queue.send({ body: 'x' });
  only(await queue.receive({ visibilityTimeoutSeconds: 0 }));
  only(await queue.receive({ visibilityTimeoutSeconds: 3 }));
  expect(await queue.receive()).toEqual([]);
});

recorded('sqs-count-goes-on', async () => {
  const { queue, dead } = await aQueueWithDeadLetters(1);
  await queue.send({ body: 'x' });
  only(await queue.receive({ visibilityTimeoutSeconds: 0 }));
  expect(await queue.receive()).toEqual([]);
  expect(only(await dead.receive()).receiveCount).toBe(2);
});

recorded('sqs-second-purge', async () => {
  const QueueUrl = await aSqsQueue('purged-twice');
  const purge = () => sqs.send(new sdk.PurgeQueueCommand({ QueueUrl }));
  await purge();
  expect(await refusalOf(purge())).toEqual({
    name: 'PurgeQueueInProgress',
    message: 'Only one PurgeQueue operation on purged-twice is allowed every 60 seconds.',
    status: 403,
  });
});

recorded('sqs-attributes-asked-for', async () => {
  const QueueUrl = await aSqsQueue('attributes');
  await sqs.send(new sdk.SendMessageCommand({ QueueUrl, MessageBody: 'msg' }));
  const receive = (MessageSystemAttributeNames?: sdk.MessageSystemAttributeName[]) =>
    sqs.send(new sdk.ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0, MessageSystemAttributeNames }));
  const all = ['ApproximateFirstReceiveTimestamp', 'ApproximateReceiveCount', 'SenderId', 'SentTimestamp'];
  expect(only((await receive()).Messages ?? []).Attributes).toBeUndefined();
  expect(Object.keys(only((await receive(['All'])).Messages ?? []).Attributes ?? {}).toSorted()).toEqual(all);
  expect(Object.keys(only((await receive(['SenderId'])).Messages ?? []).Attributes ?? {})).toEqual([
    'SenderId',
  ]);
});

recorded('sqs-empty-failed', async () => {
  const QueueUrl = await aSqsQueue('all-done');
  const Entries = [{ Id: 'a', MessageBody: 'x' }];
  expect(await sqs.send(new sdk.SendMessageBatchCommand({ QueueUrl, Entries }))).not.toHaveProperty('Failed');
});

recorded('sqs-eleven-entries', async () => {
  const QueueUrl = await aSqsQueue('eleven');
  const Entries = Array.from({ length: 11 }, (_, n) => ({ Id: `${n}`, ReceiptHandle: 'x' }));
  expect(await refusalOf(sqs.send(new sdk.DeleteMessageBatchCommand({ QueueUrl, Entries })))).toMatchObject({
    name: 'TooManyEntriesInBatchRequest',
    status: 400,
  });
});

recorded('sqs-no-queue', async () => {
  const QueueUrl = (await aSqsQueue('there')).replace('there', 'not-there');
  const response = await fetch(aws.server.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'AmazonSQS.GetQueueAttributes' },
    body: JSON.stringify({ QueueUrl }),
  });
  expect(response.status).toBe(400);
  expect(response.headers.get('x-amzn-query-error')).toBe('AWS.SimpleQueueService.NonExistentQueue;Sender');
});

recorded('sqs-trace-header', async () => {
  const QueueUrl = await aSqsQueue('traced');
  const header = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
  const own = 'Root=1-5759e988-bd862e3fe1be46a994272794;Parent=53995c3f42cd8ad8;Sampled=0';
  const send = (body: object) =>
    fetch(aws.server.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.SendMessage', 'x-amzn-trace-id': header },
      body: JSON.stringify({ QueueUrl, MessageBody: 'x', ...body }),
    });
  await send({});
  await send({ MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: own } } });
  const { Messages } = await sqs.send(
    new sdk.ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: 10,
      MessageSystemAttributeNames: ['All'],
    }),
  );
  expect(Messages?.map(({ Attributes }) => Attributes?.['AWSTraceHeader'])).toEqual([header, own]);
});
