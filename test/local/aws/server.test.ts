import { createHash, createPublicKey, verify } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import * as kmsSdk from '@aws-sdk/client-kms';
import {
  GetResourcesCommand,
  ResourceGroupsTaggingAPIClient,
} from '@aws-sdk/client-resource-groups-tagging-api';
import type { GetResourcesCommandOutput } from '@aws-sdk/client-resource-groups-tagging-api';
import * as secretsSdk from '@aws-sdk/client-secrets-manager';
import { describe, expect, test } from 'vitest';
import { AwsError } from '../../../local/aws/aws-error.ts';
import { type LocalAwsOptions, startLocalAws } from '../../../local/aws/aws.ts';
import { definitionOf, only } from './a-queue.ts';
import { aws, clientOptions, faults } from './a-server.ts';

test('EventBridge takes events through the SDK and brings them to a queue', async () => {
  const queue = await aws.sqs.createQueue(definitionOf({ name: 'events' }));
  aws.buses.createBus({ name: 'tidings' });
  const targets = [{ id: 'events', queueArn: queue.arn, messageGroupIdPath: '$.detail.organizationId' }];
  const eventPattern = { source: [{ prefix: 'acme' }] };
  aws.buses.createRule({ busName: 'tidings', name: 'events', eventPattern, targets });
  const client = new EventBridgeClient(clientOptions());
  const Detail = JSON.stringify({ organizationId: 'org_1' });
  const entry = { EventBusName: 'tidings', Source: 'acme.x', DetailType: 'a.b', Detail, Time: new Date(0) };
  const put = await client.send(new PutEventsCommand({ Entries: [entry, { ...entry, Detail: 'x' }] }));
  expect(put).toMatchObject({ FailedEntryCount: 1, Entries: [{}, { ErrorCode: 'MalformedDetail' }] });
  const { message } = only(await queue.receive());
  expect(JSON.parse(message.body)).toMatchObject({
    id: put.Entries?.[0]?.EventId,
    time: '1970-01-01T00:00:00Z',
  });
});

test('KMS makes a key, signs with it, and tells of its states through the SDK', async () => {
  const client = new kmsSdk.KMSClient(clientOptions());
  const { KeyMetadata } = await client.send(
    new kmsSdk.CreateKeyCommand({
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
      Tags: [{ TagKey: 'a', TagValue: 'b' }],
    }),
  );
  const KeyId = KeyMetadata?.KeyId;
  const { PublicKey = new Uint8Array() } = await client.send(new kmsSdk.GetPublicKeyCommand({ KeyId }));
  const Message = createHash('sha256').update('hello').digest();
  const sign = () =>
    client.send(
      new kmsSdk.SignCommand({ KeyId, Message, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
  const { Signature = new Uint8Array() } = await sign();
  const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
  expect(verify('sha256', Buffer.from('hello'), key, Signature)).toBe(true);
  const { Tags } = await client.send(new kmsSdk.ListResourceTagsCommand({ KeyId }));
  expect(Tags).toEqual([{ TagKey: 'a', TagValue: 'b' }]);
  await client.send(new kmsSdk.DisableKeyCommand({ KeyId }));
  await expect(sign()).rejects.toBeInstanceOf(kmsSdk.DisabledException);
  await client.send(new kmsSdk.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  await expect(sign()).rejects.toBeInstanceOf(kmsSdk.KMSInvalidStateException);
  const described = await client.send(new kmsSdk.DescribeKeyCommand({ KeyId }));
  expect(described.KeyMetadata).toMatchObject({
    KeyState: 'PendingDeletion',
    DeletionDate: expect.any(Date) as Date,
  });
  const encrypted = client.send(new kmsSdk.EncryptCommand({ KeyId, Plaintext: Message }));
  await expect(encrypted).rejects.toBeInstanceOf(kmsSdk.UnsupportedOperationException);
});

test('Secrets Manager keeps versions through the SDK', async () => {
  const client = new secretsSdk.SecretsManagerClient(clientOptions());
  const created = await client.send(
    new secretsSdk.CreateSecretCommand({
      Name: 'a/b',
      SecretString: 'one',
      KmsKeyId: 'key',
      Tags: [{ Key: 'a', Value: 'b' }],
    }),
  );
  const put = await client.send(
    new secretsSdk.PutSecretValueCommand({
      SecretId: 'a/b',
      SecretBinary: Uint8Array.of(1, 2),
      VersionStages: ['AWSCURRENT', 'v2'],
    }),
  );
  const read = (wanted: { VersionId?: string | undefined; VersionStage?: string }) =>
    client.send(new secretsSdk.GetSecretValueCommand({ SecretId: created.ARN, ...wanted }));
  expect((await read({ VersionId: created.VersionId })).SecretString).toBe('one');
  expect((await read({})).SecretBinary).toEqual(Uint8Array.of(1, 2));
  const described = await client.send(new secretsSdk.DescribeSecretCommand({ SecretId: 'a/b' }));
  expect(described.VersionIdsToStages).toEqual({
    [String(created.VersionId)]: ['AWSPREVIOUS'],
    [String(put.VersionId)]: ['AWSCURRENT', 'v2'],
  });
  const listed = await client.send(
    new secretsSdk.ListSecretsCommand({ Filters: [{ Key: 'name', Values: ['a/'] }] }),
  );
  expect(listed.SecretList?.map(({ Name }) => Name)).toEqual(['a/b']);
  await client.send(new secretsSdk.DeleteSecretCommand({ SecretId: 'a/b', RecoveryWindowInDays: 7 }));
  await expect(read({})).rejects.toBeInstanceOf(secretsSdk.InvalidRequestException);
  await client.send(new secretsSdk.RestoreSecretCommand({ SecretId: 'a/b' }));
  await client.send(
    new secretsSdk.DeleteSecretCommand({ SecretId: 'a/b', ForceDeleteWithoutRecovery: true }),
  );
  await expect(read({})).rejects.toBeInstanceOf(secretsSdk.ResourceNotFoundException);
});

test('keys are found by their tags through the SDK, page by page', async () => {
  const client = new ResourceGroupsTaggingAPIClient(clientOptions());
  const make = (value: string) =>
    aws.kms.createKey({
      spec: 'ECC_NIST_P256',
      usage: 'SIGN_VERIFY',
      tags: [{ TagKey: 'found:by', TagValue: value }],
    });
  const made = [await make('this'), await make('this'), await make('this')];
  await make('that');
  const found: string[] = [];
  let PaginationToken: string | undefined;
  let pages = 0;
  do {
    const TagFilters = [{ Key: 'found:by', Values: ['this'] }];
    const page: GetResourcesCommandOutput = await client.send(
      new GetResourcesCommand({
        ...{ ResourceTypeFilters: ['kms:key'], TagFilters, ResourcesPerPage: 2 },
        PaginationToken,
      }),
    );
    for (const { ResourceARN = '', Tags } of page.ResourceTagMappingList ?? []) {
      found.push(ResourceARN);
      expect(Tags).toEqual([{ Key: 'found:by', Value: 'this' }]);
    }
    PaginationToken = page.PaginationToken;
    pages += 1;
  } while (PaginationToken !== '');
  expect(found.toSorted()).toEqual(made.map((key) => aws.kms.arnOf(key)).toSorted());
  expect(pages).toBe(2);
});

async function aTable(client: DynamoDBClient): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: 'ledger',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    }),
  );
  await expect
    .poll(() => client.send(new DescribeTableCommand({ TableName: 'ledger' })))
    .toMatchObject({ Table: { TableStatus: 'ACTIVE' } });
}

test('DynamoDB stores and refuses through the SDK', async () => {
  const client = new DynamoDBClient(clientOptions());
  await aTable(client);
  const put = () =>
    client.send(
      new PutItemCommand({
        TableName: 'ledger',
        Item: { pk: { S: 'a' } },
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  await put();
  await expect(put()).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
});

test('DynamoDB makes a transaction once whose answer was lost, as the SDK sends it again with its token', async () => {
  const client = new DynamoDBClient({ ...clientOptions(), maxAttempts: 2 });
  let losses = 0;
  faults.lost = (_service, action) => {
    if (action !== 'TransactWriteItems' || (losses += 1) > 1) return;
    throw new AwsError('InternalServerError', 'lost', { status: 500 });
  };
  const ConditionExpression = 'attribute_not_exists(pk)';
  const Put = { TableName: 'ledger', Item: { pk: { S: 'together' } }, ConditionExpression };
  await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }] }));
  expect(losses).toBe(2);
  const again = client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }] }));
  await expect(again).rejects.toMatchObject({ name: 'TransactionCanceledException' });
});

describe('the server', () => {
  test('has a test’s outage for one service be an error the SDK may retry', async () => {
    faults.next = (service, action) => {
      if (service === 'kms') throw new AwsError('ThrottlingException', `no ${action} now`);
    };
    const throttled = new kmsSdk.KMSClient(clientOptions()).send(
      new kmsSdk.DescribeKeyCommand({ KeyId: 'x' }),
    );
    await expect(throttled).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 400 },
    });
    faults.next = (service) => {
      if (service === 'dynamodb') throw new AwsError('InternalServerError', 'down', { status: 500 });
    };
    const down = new DynamoDBClient(clientOptions()).send(new DescribeTableCommand({ TableName: 'ledger' }));
    await expect(down).rejects.toMatchObject({
      name: 'InternalServerError',
      $metadata: { httpStatusCode: 500 },
    });
  });

  test('loses the answer to a call that was carried out, as a test asks', async () => {
    const kms = new kmsSdk.KMSClient(clientOptions());
    const dynamodb = new DynamoDBClient(clientOptions());
    const before = aws.kms.keys().length;
    const Key = { pk: { S: 'lost' } };
    faults.lost = (_service, action) => {
      if (action !== 'GetItem') throw new AwsError('InternalServerError', 'lost', { status: 500 });
    };
    const lost = { name: 'InternalServerError', $metadata: { httpStatusCode: 500 } };
    await expect(kms.send(new kmsSdk.CreateKeyCommand({}))).rejects.toMatchObject(lost);
    const put = new PutItemCommand({ TableName: 'ledger', Item: { ...Key, long: { S: 'x'.repeat(1000) } } });
    await expect(dynamodb.send(put)).rejects.toMatchObject(lost);
    expect(aws.kms.keys()).toHaveLength(before + 1);
    const get = new GetItemCommand({ TableName: 'ledger', Key });
    expect((await dynamodb.send(get)).Item).toMatchObject(Key);
  });

  test.each([
    { name: 'a name that only resolves to loopback', headers: { host: 'evil.example' }, status: 403 },
    { name: 'a name that begins like loopback', headers: { host: '127.0.0.1.evil.example' }, status: 403 },
    { name: 'an unknown service', headers: { 'x-amz-target': 'Logs_20140328.PutLogEvents' }, status: 404 },
    {
      name: 'a body that is not JSON',
      headers: { 'x-amz-target': 'AmazonSQS.ListQueues' },
      body: 'x',
      status: 400,
    },
    {
      name: 'a body over 16 MB',
      headers: { 'x-amz-target': 'AmazonSQS.ListQueues', 'content-length': '16777217' },
      body: '',
      status: 413,
    },
  ])('refuses $name', async ({ headers, body = '{}', status }) => {
    const answer = await post(headers, body);
    expect(answer.status).toBe(status);
    expect(answer.headers['x-amzn-requestid']).toBeTruthy();
    expect(JSON.parse(answer.body)).toMatchObject({ __type: expect.any(String) as string });
  });

  test.each(['localhost', '[::1]:80', '127.0.0.1'])('answers as %s', async (host) => {
    const answer = await post({ host, 'x-amz-target': 'AmazonSQS.ListQueues' }, '{}');
    expect(answer.status).toBe(200);
  });

  test('keeps everything in its folder over a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aws-'));
    const start = async (options: LocalAwsOptions = {}) => {
      const started = await startLocalAws({ folder, ...options });
      return { started, queue: await started.sqs.createQueue(definitionOf()) };
    };
    const before = await start();
    await aTable(new DynamoDBClient(clientOptions(before.started)));
    const Item = { pk: { S: 'kept' } };
    await new DynamoDBClient(clientOptions(before.started)).send(
      new PutItemCommand({ TableName: 'ledger', Item }),
    );
    await before.queue.send({ body: 'kept' });
    await before.started.close();
    const { started, queue } = await start();
    expect(only(await queue.receive()).message.body).toBe('kept');
    const get = new GetItemCommand({ TableName: 'ledger', Key: Item });
    expect((await new DynamoDBClient(clientOptions(started)).send(get)).Item).toEqual(Item);
    await started.close();
    await rm(folder, { recursive: true });
  });
});

interface Answer {
  status: number | undefined;
  headers: Record<string, unknown>;
  body: string;
}

function post(headers: NodeJS.Dict<string>, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: aws.server.port, method: 'POST', headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          sent.destroy();
          resolve({ status: response.statusCode, headers: response.headers, body: text });
        });
      },
    );
    sent.on('error', reject);
    sent.write(body);
    if (headers['content-length'] === undefined) sent.end();
    else sent.flushHeaders();
  });
}
