import {
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { KMSClient, SignCommand, TagResourceCommand } from '@aws-sdk/client-kms';
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ListQueuesCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { duePartitions } from '../../lambdas/shared/waiting.ts';
import type { PermissionsOptions } from '../../local/permissions/permissions.ts';
import { synthesize } from '../../local/synthesis.ts';
import { withoutHash } from '../lib/synthesized.ts';
import { anEntry, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

/** The stack with all that may be switched on: whatever any setting grants is judged here. */
const everything = {
  canary: 'true',
  tracing: 'true',
  egressZones: '2',
  archiveDays: '30',
  alarmEmail: 'night@acme.example',
};

let folder: string;
let tidings: Tidings;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidings-everything-'));
  await synthesize(folder, everything);
  tidings = await startTidings({ templateFolder: folder });
});

afterAll(async () => {
  await tidings.stop();
  await rm(folder, { recursive: true });
});

/** The configuration of an SDK client in the hands of a function, by its name without the hash, or of anybody else. */
function as(name: string) {
  const { aws, permissions } = tidings.runtime;
  const own = permissions.functionNames().find((one) => withoutHash(one) === `Tidings-${name}`);
  return {
    endpoint: aws.server.endpoint,
    region: aws.setting.region,
    credentials: { accessKeyId: own ?? name, secretAccessKey: 'local' },
  };
}

/** A request of the SDK, before it is sent. */
const built = z.looseObject({ request: z.custom<{ headers: Record<string, string> }>() });

const stageTag = (TagValue: string) => ({ TagKey: 'tidings:stage', TagValue });
const queueUrl = (name: string) => tidings.runtime.aws.sqs.queueByName(name).url;
const session = (name: string) =>
  new RegExp(
    String.raw`^User: arn:aws:sts::000000000000:assumed-role/Tidings-${name}Role\w+/Tidings-${name}\w+ is not`,
  );

it('whoever calls under a key that nobody has is refused: it was taken for the administrator', async () => {
  const queues = new SQSClient(as('nobody'));
  await expect(queues.send(new ListQueuesCommand({}))).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  });
});

describe('with everything switched on', () => {
  it('the canary goes through everything, and nothing is refused', async () => {
    await tidings.runtime.runSchedules();
    await until('the canary', () => tidings.logLines.some((line) => line.includes('"canary.arrived"')));
    expect(tidings.runtime.permissions.book.spent.judged).toBeGreaterThan(100);
    expect(tidings.logLines.filter((line) => /not authorized|would not archive/.test(line))).toEqual([]);
  });

  it('what waits is sent on, deliveries and drains', async () => {
    const client = DynamoDBDocumentClient.from(new DynamoDBClient(as('local')));
    const id = '0'.repeat(26);
    const common = { waiting: duePartitions[0], organizationId: 'org_nobody', endpointId: `ep_${id}` };
    const delivery = {
      ...{ eventId: `evt_${id}`, eventType: 'pipeline.run.failed', status: 'retrying', round: 1 },
      ...{ attemptCount: 1, expiresAt: Math.floor(Date.now() / 1000) + 3_600 },
    };
    for (const [sk, more] of [
      ['A', delivery],
      ['B', {}],
    ] as const) {
      // A run looks a minute ahead, and the one before did so a moment ago.
      const waitingAt = `${new Date(Date.now() + 59_500).toISOString()}#${sk}`;
      const Item = { pk: `WAITS#${sk}`, sk, ...common, ...more, waitingAt };
      await client.send(new PutCommand({ TableName: tidings.runtime.output('LedgerTable'), Item }));
    }
    await tidings.runtime.runSchedules('Wake');
    const done = await until('what it did', () =>
      tidings.logLines.findLast((line) => line.includes('"wake.done"') && !line.includes('"sent":0')),
    );
    expect(JSON.parse(done)).toMatchObject({ sent: 1, drains: 1 });
    client.destroy();
  });

  it('the pages that take no token are served, a test event is signed by a key, and a recovery runs', async () => {
    const page = await fetch(`${tidings.runtime.api}/reference`);
    expect(page.status).toBe(200);
    await page.text();
    expect((await tidings.call('GET', '/nothing-is-here')).status).toBe(404);
    const organization = await tidings.makeOrganization('org_signed');
    const endpoint = await tidings.makeEndpoint(organization, '/signed', { scheme: 'jwt' });
    const path = `/v1/organizations/${organization}/endpoints/${endpoint}`;
    // It was signed and sent; the receiver of these tests verifies by secrets only.
    expect(await tidings.call('POST', `${path}/test`)).toMatchObject({ body: { statusCode: 401 } });
    const since = new Date(Date.now() - 3_600_000).toISOString();
    expect(
      (await tidings.call('POST', `${path}/recover`, { body: { since, include: ['dead'] } })).status,
    ).toBe(202);
    await until('the recovery', () => tidings.logLines.some((line) => line.includes('"recovery.finished"')));
  });

  // The topic's policy takes the place of SNS's own; without a line for CloudWatch nobody heard of any alarm.
  it('every alarm reaches the mailbox, by its topic and the key of that', () => {
    const { alarms } = tidings.runtime;
    expect(alarms.names().length).toBeGreaterThan(20);
    for (const name of alarms.names()) expect(alarms.ring(name)).toContain('night@acme.example');
  });

  it('the code of a function in a network makes no interfaces, which Lambda makes with the same role', () => {
    const { book } = tidings.runtime.permissions;
    const name =
      tidings.runtime.permissions.functionNames().find((one) => one.includes('DeliveryDeliver')) ?? '';
    const arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
    for (const one of ['DeliveryDeliver', 'TesterTest']) {
      const role = tidings.runtime.permissions.roleOf(one);
      const need = { action: 'ec2:CreateNetworkInterface', resource: '*' };
      expect(() => {
        book.demand(role, [need]);
      }).not.toThrow();
      expect(() => {
        book.demand(role, [{ ...need, context: { 'lambda:SourceFunctionArn': arn } }]);
      }).toThrow('with an explicit deny in an identity-based policy');
    }
  });
});

describe('a function is refused what its role does not allow, in the words of the service', () => {
  it('SQS', async () => {
    const client = new SQSClient(as('UpkeepTidy'));
    const send = client.send(
      new SendMessageCommand({ QueueUrl: queueUrl('tidings-retries'), MessageBody: '{}' }),
    );
    const fault: unknown = await send.catch((one: unknown) => one);
    expect(fault).toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    const { message } = z.object({ message: z.string() }).parse(fault);
    expect(message).toMatch(session('UpkeepTidy'));
    expect(message).toMatch(
      /perform: sqs:sendmessage on resource: arn:aws:sqs:us-east-1:000000000000:tidings-retries because no identity-based policy allows the sqs:sendmessage action$/,
    );
    client.destroy();
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      'DynamoDB: another action',
      () =>
        new DynamoDBClient(as('IdentityToken')).send(
          new PutItemCommand({
            TableName: tidings.runtime.output('ConfigTable'),
            Item: { pk: { S: 'a' }, sk: { S: 'b' } },
          }),
        ),
      'dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/',
    ],
    [
      'DynamoDB: another table',
      () =>
        new DynamoDBClient(as('IdentityToken')).send(
          new GetItemCommand({
            TableName: tidings.runtime.output('LedgerTable'),
            Key: { pk: { S: 'a' }, sk: { S: 'b' } },
          }),
        ),
      'dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/',
    ],
    [
      'DynamoDB: items of another organization',
      () =>
        new DynamoDBClient(as('CanaryCanarySend')).send(
          new GetItemCommand({
            TableName: tidings.runtime.output('ConfigTable'),
            Key: { pk: { S: 'ORG#org_1' }, sk: { S: 'ORGANIZATION' } },
          }),
        ),
      'dynamodb:GetItem on resource',
    ],
    [
      'KMS: a key that nobody has tagged',
      async () => {
        const { kms } = tidings.runtime.aws;
        const { id: KeyId } = await kms.createKey({ spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' });
        return new KMSClient(as('DeliveryDeliver')).send(
          new SignCommand({
            KeyId,
            Message: Buffer.alloc(32),
            MessageType: 'DIGEST',
            SigningAlgorithm: 'ECDSA_SHA_256',
          }),
        );
      },
      'kms:Sign on resource: arn:aws:kms:us-east-1:000000000000:key/',
    ],
    [
      'Secrets Manager: reading, by who may write',
      async () => {
        await new SecretsManagerClient(as('ApiHandler')).send(
          new CreateSecretCommand({ Name: 'tidings/prod/a' }),
        );
        return new SecretsManagerClient(as('ApiHandler')).send(
          new GetSecretValueCommand({ SecretId: 'tidings/prod/a' }),
        );
      },
      'secretsmanager:GetSecretValue on resource: arn:aws:secretsmanager:us-east-1:000000000000:secret:tidings/prod/a-',
    ],
    [
      'EventBridge',
      () =>
        new EventBridgeClient(as('UpkeepTidy')).send(
          new PutEventsCommand({
            Entries: [{ EventBusName: 'tidings', Source: 'a', DetailType: 'b', Detail: '{}' }],
          }),
        ),
      'events:PutEvents on resource: arn:aws:events:us-east-1:000000000000:event-bus/tidings because no identity-based policy allows the events:PutEvents action',
    ],
  ])('%s', async (_what, call, words) => {
    const fault: unknown = await call().catch((one: unknown) => one);
    expect(fault).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(words) as string,
    });
  });

  // Whoever has the tag of this stage may be destroyed by the daily function.
  it.each([
    ['a key that encrypts', false, { spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT', tags: [] }],
    [
      'a key of another stage',
      false,
      { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY', tags: [stageTag('dev')] },
    ],
    ['a key of its own', true, { spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY', tags: [stageTag('prod')] }],
  ] as const)(
    'the API may put the tag of its stage on %s: %j',
    async (_what, isAllowed, { tags, ...wanted }) => {
      const { id: KeyId } = await tidings.runtime.aws.kms.createKey({ ...wanted, tags: [...tags] });
      const client = new KMSClient(as('ApiHandler'));
      const tag = client.send(new TagResourceCommand({ KeyId, Tags: [stageTag('prod')] }));
      const name = await tag.then(
        () => undefined,
        (fault: unknown) => z.object({ name: z.string() }).parse(fault).name,
      );
      expect(name).toBe(isAllowed ? undefined : 'AccessDeniedException');
      client.destroy();
    },
  );

  it('whoever calls by hand is the administrator, and is refused nothing', async () => {
    const client = new DynamoDBClient(as('local'));
    await client.send(new DescribeTableCommand({ TableName: tidings.runtime.output('ConfigTable') }));
    client.destroy();
  });

  it('but what a queue denies to everybody is denied to him: a call without TLS', async () => {
    const plain = new SQSClient(as('local'));
    plain.middlewareStack.add(
      (next) => (args) => {
        const { request } = built.parse(args);
        Object.assign(request.headers, { 'x-forwarded-proto': 'http' });
        return next({ ...args, request });
      },
      { step: 'build' },
    );
    const queues = tidings.runtime.aws.sqs.queues();
    expect(queues.length).toBeGreaterThan(8);
    for (const { url: QueueUrl } of queues) {
      await expect(plain.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toThrow(
        'with an explicit deny in a resource-based policy',
      );
    }
    plain.destroy();
    const { book } = tidings.runtime.permissions;
    const topic = { action: 'sns:Publish', resource: tidings.runtime.output('AlarmTopic') };
    expect(() => {
      book.demand(book.administrator, [topic], false);
    }).toThrow('with an explicit deny in a resource-based policy');
  });
});

describe('where AWS is not documented both ways do', () => {
  const strictly = async (permissions: PermissionsOptions, templateFolder = inject('templateFolder')) => {
    const stack = await startTidings({ permissions, templateFolder });
    return { stack, end: () => stack.stop() };
  };
  const makeJwtEndpoint = ({ call, receiver }: Tidings, organization: string) =>
    call('POST', `/v1/organizations/${organization}/endpoints`, {
      body: { url: `${receiver.url}/${organization}`, eventTypes: ['*'], scheme: 'jwt' },
    });

  it.each([false, true])(
    'the first endpoint of scheme jwt is made, KMS telling the use of a key as it is tagged: %j',
    async (tellsUsageAtTagging) => {
      const { stack, end } = await strictly({ tellsUsageAtTagging });
      await stack.makeOrganization('org_first');
      expect(await makeJwtEndpoint(stack, 'org_first')).toMatchObject({ status: 201 });
      await end();
    },
  );

  it('and is made before the tags of its key count, with one key; until they do nothing is signed', async () => {
    const { stack, end } = await strictly({ tagsCountAfterMs: 300_000 });
    await stack.makeOrganization('org_tags');
    const made = [];
    for (let number = 0; number < 3; number += 1) made.push(await makeJwtEndpoint(stack, 'org_tags'));
    expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
    const signing = stack.runtime.aws.kms.keys().filter(({ usage }) => usage === 'SIGN_VERIFY');
    expect(signing).toHaveLength(1);
    await stack.publish(anEntry('org_tags'));
    await until('that all three deliveries are put off, their attempts unspent', () => {
      const held = stack.logLines.filter((line) => line.includes('"delivery.held"'));
      return held.filter((line) => line.includes('signing_unavailable')).length === 3;
    });
    expect(stack.received).toEqual([]);
    stack.clock.skew(300_000);
    const test = `/v1/organizations/org_tags/endpoints/${made[0]?.body.id ?? ''}/test`;
    expect(await stack.call('POST', test)).toMatchObject({ status: 200, body: { statusCode: 401 } });
    await end();
  });

  it.each([
    ['whose event it is', { source: true, encryptionContext: false }],
    ['of which queue it is', { source: false, encryptionContext: true }],
  ])('events come in though EventBridge tells the key of a queue nothing but %s', async (_what, keyHints) => {
    const { stack, end } = await strictly({ keyHints }, folder);
    await stack.makeOrganization('org_hints');
    await stack.makeEndpoint('org_hints', '/hints');
    await stack.publish(anEntry('org_hints'), { DetailType: 'stray', Detail: '{}' });
    await until('the event', () => stack.received.some(({ path }) => path === '/hints'));
    expect(stack.runtime.aws.sqs.queueByName('tidings-bus-dead').counts().visible).toBe(0);
    expect(stack.logLines.filter((line) => line.includes('EventBridge would'))).toEqual([]);
    await end();
  });

  it('an event that the key lets nobody put on a queue, or on its dead-letter queue, is lost, and that is told', async () => {
    const { stack, end } = await strictly({ keyHints: { source: false, encryptionContext: false } }, folder);
    await stack.publish(anEntry('org_1'), { DetailType: 'stray', Detail: '{}' });
    const told = () => stack.logLines.filter((line) => line.includes('EventBridge would drop'));
    await until('that both are told of', () => told().length === 2);
    const unkept = stack.logLines.filter((line) => line.includes('EventBridge would not archive'));
    expect(unkept).toHaveLength(2);
    await end();
  });
});
