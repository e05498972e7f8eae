import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { DeleteCommand, DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { deliveryKey } from '../../lambdas/delivery/key.ts';
import { eventKey } from '../../lambdas/event/store.ts';
import { prepare } from '../../local/ready.ts';
import { anEntry, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

const putEvents = z.object({
  Entries: z.array(z.object({ Source: z.string(), DetailType: z.string(), Detail: z.string() })),
});

let tidings: Tidings;
const published: z.output<typeof putEvents>['Entries'] = [];

beforeAll(async () => {
  tidings = await startTidings({
    beforeCall: (_service, action, input) => {
      if (action === 'PutEvents') published.push(...putEvents.parse(input).Entries);
      return Promise.resolve();
    },
  });
});

afterAll(async () => {
  await tidings.stop();
});

/** The last line of a kind that a function has logged. */
function lastLine(message: string): Record<string, unknown> | undefined {
  const line = tidings.logLines.findLast((one) => one.includes(`"message":"${message}"`));
  return line === undefined ? undefined : z.record(z.string(), z.unknown()).parse(JSON.parse(line));
}

const pathOf = (organization: string, endpoint: string) =>
  `/v1/organizations/${organization}/endpoints/${endpoint}/deliveries`;

/** The event id of an endpoint's one delivery, as soon as it has a status. */
const ended = (organization: string, endpoint: string, status: string) =>
  until(`a delivery that is ${status}`, async () => {
    const { body } = await tidings.call('GET', `${pathOf(organization, endpoint)}?status=${status}`);
    return body.data[0]?.eventId;
  });

describe('the dead-letter queue', () => {
  it('loses a letter that was retried by hand and delivered; one that is still dead stays and can be redriven', async () => {
    const organization = await tidings.makeOrganization('org_letters');
    const [saved, lost] = [
      await tidings.makeEndpoint(organization, '/saved'),
      await tidings.makeEndpoint(organization, '/lost'),
    ];
    for (const path of ['/saved', '/lost']) tidings.receiver.behave(path, () => 500);
    await tidings.publish(anEntry(organization));
    const eventId = await ended(organization, saved, 'dead');
    await ended(organization, lost, 'dead');
    const queue = tidings.runtime.aws.sqs.queueByUrl(tidings.runtime.output('DeadLetterQueueUrl'));
    await until('both letters', () => queue.counts().visible === 2);

    tidings.receiver.behave('/saved', () => 204);
    await tidings.call('POST', `${pathOf(organization, saved)}/${eventId}/retry`);
    await ended(organization, saved, 'delivered');
    expect(queue.counts().visible).toBe(2);
    await tidings.runtime.runSchedules();
    expect(queue.counts()).toEqual({ visible: 1, inFlight: 0, delayed: 0 });
    expect(lastLine('dead_letters.tidied')).toMatchObject({ examined: 2, removed: 1, kept: 1 });

    tidings.receiver.behave('/lost', () => 204);
    tidings.clock.skew(61_000);
    await tidings.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: queue.arn }));
    expect(await ended(organization, lost, 'delivered')).toBe(eventId);
    await tidings.runtime.runSchedules();
    expect(lastLine('dead_letters.tidied')).toMatchObject({ examined: 0, removed: 0, kept: 0 });
  });
});

describe('a delivery that was removed by hand', () => {
  const organization = 'org_gap';
  let endpoint: string;
  let eventId: string;

  beforeAll(async () => {
    await tidings.makeOrganization(organization);
    endpoint = await tidings.makeEndpoint(organization, '/gap');
    const fine = await tidings.makeEndpoint(organization, '/fine');
    const twoHoursAgo = new Date(Date.now() - 2 * 3_600_000);
    await tidings.publish({ ...anEntry(organization), Time: twoHoursAgo });
    eventId = await ended(organization, endpoint, 'delivered');
    await ended(organization, fine, 'delivered');
    // It came in when the queue says so; the function looks at what is older than an hour.
    const client = clientOf(tidings);
    await client.send(
      new UpdateCommand({
        TableName: tidings.runtime.output('LedgerTable'),
        Key: { ...eventKey(organization, eventId) },
        UpdateExpression: 'SET receivedAt = :then',
        ExpressionAttributeValues: { ':then': twoHoursAgo.toISOString() },
      }),
    );
    client.destroy();
  });

  /** Runs the command in a folder, to its end. */
  const reconcileIn = (folder: string, ...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const command = join(import.meta.dirname, '../../bin/reconcile.ts');
      execFile(process.execPath, [command, ...args], { cwd: folder }, (error, stdout, stderr) => {
        resolve({ code: error?.code ?? 0, stdout, stderr });
      });
    });

  it('is found by the scheduled function, which says so in its log and on the bus, and by the command', async () => {
    const client = clientOf(tidings);
    await tidings.runtime.runSchedules();
    expect(lastLine('reconciliation.done')).toMatchObject({ missing: 0, overdue: 0, isComplete: true });
    expect(lastLine('reconciliation.gap')).toBeUndefined();

    const folder = await mkdtemp(join(tmpdir(), 'tidings-reconcile-'));
    const ready = await prepare(tidings.runtime, { organizationId: 'org_demo', receiver: null, log: '' });
    await mkdir(join(folder, '.tidings'));
    await writeFile(join(folder, '.tidings', 'local.json'), JSON.stringify(ready));
    const before = await reconcileIn(folder);
    expect(before).toMatchObject({ code: 0, stderr: '' });
    expect(before.stdout).toContain('Nothing is missing.');

    const TableName = tidings.runtime.output('LedgerTable');
    await client.send(new DeleteCommand({ TableName, Key: { ...deliveryKey(endpoint, eventId) } }));

    await tidings.runtime.runSchedules();
    const gap = { organizationId: organization, missing: 1, overdue: 0 };
    expect(lastLine('reconciliation.gap')).toMatchObject(gap);
    expect(lastLine('reconciliation.done')).toMatchObject({ missing: 1, isComplete: true });
    const told = published.filter(({ DetailType }) => DetailType === 'reconciliation.gap');
    expect(told.map(({ Source }) => Source)).toEqual(['tidings']);
    expect(JSON.parse(told[0]?.Detail ?? '')).toMatchObject({
      organizationId: organization,
      counts: { events: 1, deliveries: 2, delivered: 1, missing: 1 },
      findings: [{ endpointId: endpoint, eventId, kind: 'missing' }],
    });

    const after = await reconcileIn(folder, '--organization', organization);
    expect(after).toMatchObject({ code: 1, stderr: '' });
    expect(after.stdout).toMatch(new RegExp(`missing +${organization} +${endpoint} +${eventId}`));

    const unknown = await reconcileIn(folder, '--organization', 'org_nobody');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('there is no org_nobody');
    await rm(folder, { recursive: true });
    client.destroy();
  });

  it('is not looked for where nothing runs: the command says what it needs', async () => {
    const nowhere = await reconcileIn(tmpdir());
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toContain('--config');
  });
});

function clientOf({ runtime }: Tidings): DynamoDBDocumentClient {
  const { endpoint } = runtime.aws.server;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const { region } = runtime.aws.setting;
  return DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region, credentials }));
}

it('no line of any log holds a payload, a secret or a token', () => {
  expect(tidings.leaks()).toEqual([]);
});
