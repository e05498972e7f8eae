import { GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { anEntry, payloadMarker, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

let tidings: Tidings;

beforeAll(async () => {
  tidings = await startTidings();
});

afterAll(async () => {
  await tidings.stop();
});

const same = { occurredAt: '2026-11-20T10:00:00Z', idempotencyKey: 'run-77' };
const failed = { type: 'pipeline.run.failed', data: { amount: 10, note: payloadMarker } };

it('an event is found under its id as soon as the API has answered, and from then on', async () => {
  const path = `/v1/organizations/${await tidings.makeOrganization('org_found')}/events`;
  await tidings.makeEndpoint('org_found', '/found');
  const { body } = await tidings.call('POST', path, { body: failed });
  expect((await tidings.call('GET', `${path}/${body.id}`)).status).toBe(200);
  await until('the event as accepted', async () => {
    const answer = await tidings.call('GET', `${path}/${body.id}`);
    expect(answer.status).toBe(200);
    return answer.body['status'] === 'accepted';
  });
});

it('a key that is used again is a conflict or a duplicate, by the API, and a refused event by the bus', async () => {
  const path = `/v1/organizations/${await tidings.makeOrganization('org_key')}/events`;
  await tidings.makeEndpoint('org_key', '/key');
  const first = await tidings.call('POST', path, { body: { ...failed, ...same } });
  const other = { ...failed, type: 'pipeline.run.succeeded' };
  expect((await tidings.call('POST', path, { body: { ...other, ...same } })).status).toBe(409);
  const again = await tidings.call('POST', path, { body: { ...failed, ...same } });
  expect(again).toMatchObject({ status: 202, body: { id: first.body.id, duplicate: true } });
  await tidings.publish(anEntry('org_key', { ...other, detail: { ...same, data: other.data } }));
  const [conflict] = await until('the conflicting event', async () => {
    const { body } = await tidings.call('GET', `${path}?status=refused`);
    return body.data.length > 0 && body.data;
  });
  expect(conflict).toMatchObject({ reason: 'idempotency_conflict', type: other.type });
  expect(conflict?.explanation).toContain(first.body.id);
  await until('the webhook', () => tidings.received.some(({ path: to }) => to === '/key'));
});

it('an event that names no organization falls into events-dead, and a line says who sent it', async () => {
  const Detail = JSON.stringify({ organisationId: 'org_key', data: { note: payloadMarker } });
  await tidings.publish({ Source: 'acme.billing', DetailType: 'billing.paid', Detail });
  const { QueueUrl } = await tidings.sqs.send(new GetQueueUrlCommand({ QueueName: 'tidings-events-dead' }));
  const queue = tidings.runtime.aws.sqs.queueByUrl(String(QueueUrl));
  await until('the event in events-dead', () => queue.counts().visible > 0);
  const lines = tidings.logLines.filter((line) => line.includes('malformed_event'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('"source":"acme.billing"');
  expect(lines[0]).toContain('detail.organisationId');
});

// EventBridge matches leaves: of an object there is none, and the rule of the events that name somebody passes it by.
it('an event whose organizationId is an object falls there too', async () => {
  const Detail = JSON.stringify({ organizationId: {}, data: { note: payloadMarker } });
  await tidings.publish({ Source: 'acme.objects', DetailType: 'billing.paid', Detail });
  await until('the line', () => tidings.logLines.some((line) => line.includes('"source":"acme.objects"')));
  const [line] = tidings.logLines.filter((one) => one.includes('"source":"acme.objects"'));
  expect(line).toContain('detail.organizationId is no text');
});

it('no line of any log holds a payload', () => {
  expect(tidings.leaks()).toEqual([]);
});
