import {
  DeleteItemCommand,
  DynamoDBClient,
  ListTablesCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anEntry, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

let tidings: Tidings;
let dynamodb: DynamoDBClient;
beforeAll(async () => {
  tidings = await startTidings();
  const { endpoint } = tidings.runtime.aws.server;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  dynamodb = new DynamoDBClient({ endpoint, region: tidings.runtime.aws.setting.region, credentials });
});
afterAll(async () => {
  dynamodb.destroy();
  await tidings.stop();
});

const requestsTo = (path: string) => tidings.received.filter((one) => one.path === path);

/** Publishes an event, and waits for what becomes of its delivery to an endpoint. */
async function publishUntil(organizationId: string, endpoint: string, status: string): Promise<string> {
  const path = `/v1/organizations/${organizationId}/endpoints/${endpoint}/deliveries`;
  const idsOf = async () => (await tidings.call('GET', `${path}?status=${status}`)).body.data;
  const before = (await idsOf()).length;
  await tidings.publish(anEntry(organizationId));
  return until(`one more delivery with status ${status}`, async () => {
    const deliveries = await idsOf();
    return deliveries.length > before && deliveries[0]?.eventId;
  });
}

/** As if route had died before it could send, 70 minutes ago: what is younger may still be on its way. */
async function lose(organizationId: string, endpoint: string, eventId: string): Promise<void> {
  const { TableNames = [] } = await dynamodb.send(new ListTablesCommand());
  const TableName = TableNames.find((name) => name.includes('Ledger'));
  const delivery = { pk: { S: `ENDPOINT#${endpoint}` }, sk: { S: `DELIVERY#${eventId}` } };
  await dynamodb.send(new DeleteItemCommand({ TableName, Key: delivery }));
  await dynamodb.send(
    new UpdateItemCommand({
      TableName,
      Key: { pk: { S: `ORG#${organizationId}` }, sk: { S: `EVENT#${eventId}` } },
      UpdateExpression: 'SET receivedAt = :then',
      ExpressionAttributeValues: { ':then': { S: new Date(Date.now() - 70 * 60_000).toISOString() } },
    }),
  );
}

async function finished(organizationId: string, jobId: string) {
  return until('the end of the job', async () => {
    const { body } = await tidings.call('GET', `/v1/organizations/${organizationId}/jobs/${jobId}`);
    return body['status'] === 'finished' && body;
  });
}

describe('what an endpoint did not get', () => {
  it('is found, counted by a dry run, and delivered once by a job', async () => {
    const organization = await tidings.makeOrganization('org_lost');
    const endpoint = await tidings.makeEndpoint(organization, '/lost');
    tidings.receiver.behave('/lost', () => 500);
    const dead = await publishUntil(organization, endpoint, 'dead');
    tidings.receiver.behave('/lost', () => 204);
    const missing = await publishUntil(organization, endpoint, 'delivered');
    const fine = await publishUntil(organization, endpoint, 'delivered');
    await lose(organization, endpoint, missing);

    const path = `/v1/organizations/${organization}/endpoints/${endpoint}/recover`;
    const body = {
      since: new Date(Date.now() - 3_600_000).toISOString(),
      include: ['dead', 'discarded', 'missing'],
    };
    const requestsBefore = requestsTo('/lost').length;
    const tried = await tidings.call('POST', path, { body: { ...body, dryRun: true } });
    expect(tried.status).toBe(202);
    const found = { examined: 3, dead: 1, discarded: 0, missing: 1 };
    expect((await finished(organization, tried.body.id))['counts']).toEqual({ ...found, sent: 0 });
    expect(requestsTo('/lost')).toHaveLength(requestsBefore);

    const started = await tidings.call('POST', path, { body });
    expect((await finished(organization, started.body.id))['counts']).toEqual({ ...found, sent: 2 });
    await until('both requests', () => requestsTo('/lost').length >= requestsBefore + 2);
    const again = requestsTo('/lost').slice(requestsBefore);
    expect(again.map(({ webhookId }) => webhookId).toSorted()).toEqual([dead, missing].toSorted());
    expect(again.every(({ isVerified }) => isVerified)).toBe(true);
    for (const eventId of [dead, missing, fine]) {
      await until('the delivery of each', async () => {
        const deliveries = `/v1/organizations/${organization}/endpoints/${endpoint}/deliveries`;
        const { body: delivery } = await tidings.call('GET', `${deliveries}/${eventId}`);
        return delivery['status'] === 'delivered';
      });
    }
    const jobs = await tidings.call('GET', `/v1/organizations/${organization}/jobs`);
    expect(jobs.body.data.map(({ id }) => id)).toEqual([started.body.id, tried.body.id]);
    const late = await tidings.call('POST', `/v1/organizations/${organization}/jobs/${tried.body.id}/cancel`);
    expect(late).toMatchObject({ status: 409, body: { code: 'job_finished' } });
  });

  it('while it was switched off is delivered once it is on again, and not before', async () => {
    const organization = await tidings.makeOrganization('org_off');
    const endpoint = await tidings.makeEndpoint(organization, '/off', { active: false });
    await tidings.publish(anEntry(organization));
    const skipped = await until('the event', async () => {
      const { body } = await tidings.call('GET', `/v1/organizations/${organization}/events`);
      return body.data[0];
    });
    const path = `/v1/organizations/${organization}/endpoints/${endpoint}`;
    const body = { since: new Date(Date.now() - 3_600_000).toISOString(), include: ['discarded'] };
    const refused = await tidings.call('POST', `${path}/recover`, { body });
    expect(refused).toMatchObject({ status: 409, body: { code: 'endpoint_disabled' } });

    await tidings.call('PATCH', path, { body: { active: true } });
    const started = await tidings.call('POST', `${path}/recover`, { body });
    await until('the webhook', () => requestsTo('/off').length > 0);
    expect(requestsTo('/off').map(({ webhookId }) => webhookId)).toEqual([skipped.id]);
    expect(await finished(organization, started.body.id)).toMatchObject({
      counts: { examined: 1, discarded: 1, sent: 1 },
      progress: 1,
    });
  });
});

it('the whole list of dead letters is delivered again by one request', async () => {
  const organization = await tidings.makeOrganization('org_letters');
  const endpoints = [
    await tidings.makeEndpoint(organization, '/one'),
    await tidings.makeEndpoint(organization, '/two'),
  ];
  for (const path of ['/one', '/two']) tidings.receiver.behave(path, () => 500);
  for (const endpoint of endpoints) await publishUntil(organization, endpoint, 'dead');
  const letters = `/v1/organizations/${organization}/dead-letters`;
  await until('four dead letters', async () => (await tidings.call('GET', letters)).body.data.length === 4);

  for (const path of ['/one', '/two']) tidings.receiver.behave(path, () => 204);
  const started = await tidings.call('POST', `${letters}/recover`);
  const job = await finished(organization, started.body.id);
  expect(job['counts']).toEqual({ examined: 4, dead: 4, discarded: 0, missing: 0, sent: 4 });
  await until('none is left', async () => (await tidings.call('GET', letters)).body.data.length === 0);
  const delivered = tidings.received.filter(
    ({ path, statusCode }) => /one|two/.test(path) && statusCode === 204,
  );
  expect(delivered).toHaveLength(4);
});
