import { createHash } from 'node:crypto';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { CreateKeyCommand, SignCommand } from '@aws-sdk/client-kms';
import { GetResourcesCommand } from '@aws-sdk/client-resource-groups-tagging-api';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { ReceiveMessageCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { BatchGetCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import {
  makeDocumentClient,
  makeEventBridgeClient,
  makeKmsClient,
  makeSecretsManagerClient,
  makeSqsClient,
  makeTaggingClient,
} from '../../../lambdas/shared/clients.ts';
import type { Place } from '../../../lambdas/shared/clients.ts';
import { makeBatchedRead } from '../../../lambdas/shared/store.ts';
import { makeReadSecret } from '../../../lambdas/signing/secrets.ts';
import { badServers, onRequests } from './bad-aws.ts';
import type { BadAws } from './bad-aws.ts';

const endMs = 10_000;

function placeOf(endpoint: string): Place {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
}

const Key = { pk: 'a', sk: 'b' };
const secretName = { organizationId: 'org_1', endpointId: 'ep_1', part: 'signing' as const };
const signing = {
  MessageType: 'DIGEST',
  SigningAlgorithm: 'ECDSA_SHA_256',
  Message: new Uint8Array(32),
} as const;

/** One call of each client that the functions make, and of the ports that make several. */
const calls: Readonly<Record<string, (place: Place, endpoint: string) => Promise<unknown>>> = {
  GetItem: (place) => makeDocumentClient(place).send(new GetCommand({ TableName: 't', Key })),
  PutItem: (place) => makeDocumentClient(place).send(new PutCommand({ TableName: 't', Item: Key })),
  BatchGetItem: (place) =>
    makeDocumentClient(place).send(new BatchGetCommand({ RequestItems: { t: { Keys: [Key] } } })),
  'a batched read': (place) => makeBatchedRead(makeDocumentClient(place), 't')(Key),
  Sign: (place) => makeKmsClient(place).send(new SignCommand({ KeyId: 'k', ...signing })),
  CreateKey: (place) => makeKmsClient(place).send(new CreateKeyCommand({})),
  GetSecretValue: (place) =>
    makeSecretsManagerClient(place).send(new GetSecretValueCommand({ SecretId: 's' })),
  'a read of a secret': (place) => makeReadSecret(makeSecretsManagerClient(place), 'p')(secretName, 'v'),
  PutEvents: (place) =>
    makeEventBridgeClient(place).send(
      new PutEventsCommand({ Entries: [{ Source: 's', DetailType: 'd', Detail: '{}' }] }),
    ),
  SendMessageBatch: (place, endpoint) =>
    makeSqsClient(place).send(
      new SendMessageBatchCommand({
        QueueUrl: `${endpoint}/0/q`,
        Entries: [{ Id: '0', MessageBody: '{}' }],
      }),
    ),
  ReceiveMessage: (place, endpoint) =>
    makeSqsClient(place).send(new ReceiveMessageCommand({ QueueUrl: `${endpoint}/0/q`, WaitTimeSeconds: 1 })),
  GetResources: (place) => makeTaggingClient(place).send(new GetResourcesCommand({})),
};

interface Ending {
  readonly fault: unknown;
  readonly afterMs: number;
}

async function endingOf(call: Promise<unknown>): Promise<Ending> {
  const startMs = performance.now();
  const fault: unknown = await call.then(
    () => undefined,
    (rejected: unknown) => rejected,
  );
  return { fault, afterMs: performance.now() - startMs };
}

const servers: BadAws[] = [];
afterAll(() => Promise.all(servers.map(({ close }) => close())));

async function started(server: Promise<BadAws>): Promise<BadAws> {
  servers.push(await server);
  return server;
}

const endings = new Map<string, Ending>();
let ofUnprocessed: Ending | undefined;

/** All at the same time, and while other tests run: each may take its 10 s. */
async function makeBadCalls(): Promise<void> {
  const slowRead = aReadOfWhatStaysUnprocessed();
  const ended = Object.entries(badServers).map(async ([server, start]) => {
    const { endpoint } = await started(start());
    const own = Object.entries(calls).map(async ([name, call]) => {
      const tooLate = new Promise<undefined>((resolve) => setTimeout(resolve, endMs + 2_000, undefined));
      const ending = await Promise.race([endingOf(call(placeOf(endpoint), endpoint)), tooLate]);
      if (ending !== undefined) endings.set(`${server} ${name}`, ending);
    });
    await Promise.all(own);
  });
  await Promise.all(ended);
  ofUnprocessed = await slowRead;
}

let badCalls: Promise<void>;
beforeAll(() => {
  badCalls = makeBadCalls();
});

/** By a table that answers slowly, and never has what it was asked for. */
async function aReadOfWhatStaysUnprocessed(): Promise<Ending> {
  const answer = '{"UnprocessedKeys":{"t":{"Keys":[{"pk":{"S":"a"},"sk":{"S":"b"}}]}}}';
  const { endpoint } = await started(
    onRequests((response) => void setTimeout(() => response.end(answer), 2_000)),
  );
  return endingOf(makeBatchedRead(makeDocumentClient(placeOf(endpoint)), 't')(Key));
}

describe.concurrent('a call that can succeed does:', () => {
  const item = JSON.stringify({ Item: { pk: { S: 'a' }, sk: { S: 'b' } } });

  it('the third try, after a reset and a try that hung', async () => {
    const { endpoint } = await started(
      onRequests((answer, index) => {
        if (index === 0) answer.destroy();
        if (index === 2) answer.end(item);
      }),
    );
    const client = makeDocumentClient(placeOf(endpoint));
    await expect(client.send(new GetCommand({ TableName: 't', Key }))).resolves.toMatchObject({ Item: Key });
  });

  it('a receive that waits a second for a message', async () => {
    const letter = { Body: 'late', MD5OfBody: createHash('md5').update('late').digest('hex') };
    const messages = JSON.stringify({ Messages: [letter] });
    const { endpoint } = await started(
      onRequests((answer) => void setTimeout(() => answer.end(messages), 1_000)),
    );
    const receive = new ReceiveMessageCommand({ QueueUrl: `${endpoint}/0/q`, WaitTimeSeconds: 1 });
    await expect(makeSqsClient(placeOf(endpoint)).send(receive)).resolves.toMatchObject({
      Messages: [{ Body: 'late' }],
    });
  });

  it('two hundred calls at once all succeed, though the service takes a second for each', async () => {
    const { endpoint } = await started(
      onRequests((answer) => void setTimeout(() => answer.end('{"Successful":[]}'), 1_000)),
    );
    const client = makeSqsClient(placeOf(endpoint));
    const send = () =>
      client.send(
        new SendMessageBatchCommand({
          QueueUrl: `${endpoint}/0/q`,
          Entries: [{ Id: '0', MessageBody: '{}' }],
        }),
      );
    const ended = await Promise.allSettled(Array.from({ length: 200 }, send));
    expect(ended.filter(({ status }) => status === 'rejected')).toEqual([]);
  });

  it('calls that wait for their turn behind some that hang end in time, too, and leave none behind', async () => {
    let isAwake = false;
    const { endpoint } = await started(onRequests((answer) => isAwake && answer.end('{}')));
    const client = makeDocumentClient(placeOf(endpoint));
    const get = () => client.send(new GetCommand({ TableName: 't', Key }));
    const endings = await Promise.all(Array.from({ length: 200 }, () => endingOf(get())));
    for (const { fault, afterMs } of endings) {
      expect(fault).toMatchObject({ name: 'TimeoutError' });
      expect(afterMs).toBeLessThan(endMs);
    }
    isAwake = true;
    await expect(Promise.all(Array.from({ length: 200 }, get))).resolves.toHaveLength(200);
  });
});

describe('every call of every client ends within 10 s, whatever the server does:', () => {
  const cases = Object.keys(badServers).flatMap((server) => Object.keys(calls).map((call) => [server, call]));
  beforeAll(() => badCalls, 60_000);

  it.each(cases)('one that %s: %s', (server, call) => {
    const ending = endings.get(`${server} ${call}`);
    expect(ending?.fault).toBeInstanceOf(Error);
    expect(ending?.afterMs).toBeLessThan(endMs);
  });

  it.each(['accepts and never answers', 'drips its body', 'drips its headers', 'never accepts'])(
    'one that %s is told by the name TimeoutError, which the log shows',
    (server) => {
      const names = Object.keys(calls).map((call) => endings.get(`${server} ${call}`)?.fault);
      expect(names.map((fault) => (fault instanceof Error ? fault.name : fault))).toEqual(
        names.map(() => 'TimeoutError'),
      );
    },
  );

  it('one that leaves keys of a batched read unprocessed for ever', () => {
    expect(ofUnprocessed?.fault).toMatchObject({ name: 'TimeoutError' });
    expect(ofUnprocessed?.afterMs).toBeLessThan(endMs);
  });
});

test('a caller’s own signal ends a call, too', async () => {
  const { endpoint } = await started(onRequests(() => undefined));
  const client = makeDocumentClient(placeOf(endpoint));
  const own = new AbortController();
  const call = client.send(new GetCommand({ TableName: 't', Key }), { abortSignal: own.signal });
  own.abort();
  await expect(call).rejects.toMatchObject({ name: 'AbortError' });
});

test('a call that has ended leaves no timer behind', async () => {
  const { endpoint } = await started(onRequests((answer) => answer.end('{}')));
  const client = makeDocumentClient(placeOf(endpoint));
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  for (let index = 0; index < 50; index += 1) await client.send(new GetCommand({ TableName: 't', Key }));
  expect(timers()).toBeLessThanOrEqual(before + 1);
});
