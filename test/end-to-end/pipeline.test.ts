import { GetQueueUrlCommand, ReceiveMessageCommand, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { Webhook as SvixWebhook } from 'svix';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anEntry, payloadMarker, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

let tidings: Tidings;

beforeAll(async () => {
  tidings = await startTidings();
});

afterAll(async () => {
  await tidings.stop();
});

const requestsTo = (path: string) => tidings.received.filter((one) => one.path === path);

const withoutRequestId = (text: string) => text.replace(/"requestId":"[^"]*"/, '');

async function deliveryOf(organizationId: string, endpointId: string, status: string) {
  const path = `/v1/organizations/${organizationId}/endpoints/${endpointId}/deliveries`;
  return until(`a delivery with status ${status}`, async () => {
    const { body } = await tidings.call('GET', `${path}?status=${status}`);
    const [first] = body.data;
    return first === undefined ? undefined : (await tidings.call('GET', `${path}/${first.eventId}`)).body;
  });
}

describe('an event on the bus', () => {
  it('reaches the endpoint that wants it, verified by the stock libraries', async () => {
    const organization = await tidings.makeOrganization('org_happy');
    const body = { url: `${tidings.receiver.url}/happy`, eventTypes: ['pipeline.*'] };
    const created = await tidings.call('POST', `/v1/organizations/${organization}/endpoints`, { body });
    tidings.receiver.trust('/happy', created.body.secret);
    await tidings.publish(anEntry(organization, { detail: { resource: 'pipeline/42' } }));

    const [request] = await until(
      'the webhook',
      () => requestsTo('/happy').length > 0 && requestsTo('/happy'),
    );
    expect(request?.isVerified).toBe(true);
    const sent = JSON.parse(String(request?.body)) as Record<string, unknown>;
    expect(sent).toEqual({
      id: request?.webhookId,
      type: 'pipeline.run.failed',
      timestamp: expect.stringMatching(/Z$/) as string,
      organizationId: organization,
      resource: 'pipeline/42',
      data: { runId: 77, note: payloadMarker },
    });
    const delivery = await deliveryOf(organization, created.body.id, 'delivered');
    expect(delivery.attempts).toHaveLength(1);
    const event = await tidings.call('GET', `/v1/organizations/${organization}/events/${String(sent['id'])}`);
    expect(event.body).toMatchObject({
      status: 'accepted',
      deliveries: [{ endpointId: created.body.id, status: 'delivered', attemptCount: 1 }],
      skipped: [],
    });
  });

  it('has the data of its producer to the byte, whichever way it was published', async () => {
    const organization = await tidings.makeOrganization('org_bytes');
    await tidings.makeEndpoint(organization, '/bytes');
    const data = `{"note":"${payloadMarker}", "id":9223372036854775807,"v":1e400,"one":1.0,"zero":-0,"10":3,"2":4,"a":1,"a":2}`;
    await tidings.publish({
      DetailType: 'pipeline.run.failed',
      Detail: `{"data":${data},"organizationId":"${organization}"}`,
    });
    const body = `{"data":${data},"type":"pipeline.run.failed"}`;
    expect(await tidings.call('POST', `/v1/organizations/${organization}/events`, { body })).toMatchObject({
      status: 202,
    });

    const requests = await until(
      'both webhooks',
      () => requestsTo('/bytes').length > 1 && requestsTo('/bytes'),
    );
    const bodies = requests.map((request) => String(request.body));
    expect(bodies.map((text) => text.slice(text.indexOf('"data":')))).toEqual([
      `"data":${data}}`,
      `"data":${data}}`,
    ]);
    expect(requests.map(({ isVerified }) => isVerified)).toEqual([true, true]);
  });

  it('is tried again with the same id and body, a new timestamp, and waits as the policy says', async () => {
    const organization = await tidings.makeOrganization('org_flaky');
    const endpoint = await tidings.makeEndpoint(organization, '/flaky');
    tidings.receiver.behave('/flaky', (seen) => (seen < 2 ? 500 : 204));
    await tidings.publish(anEntry(organization));

    const delivery = await deliveryOf(organization, endpoint, 'delivered');
    const requests = requestsTo('/flaky');
    expect(requests.map(({ isVerified }) => isVerified)).toEqual([true, true, true]);
    expect(new Set(requests.map(({ webhookId }) => webhookId)).size).toBe(1);
    expect(new Set(requests.map(({ body }) => body.toString('hex'))).size).toBe(1);
    expect(new Set(requests.map(({ timestampSeconds }) => timestampSeconds)).size).toBe(3);
    const waits = requests.slice(1).map(({ atMs }, index) => atMs - (requests[index]?.atMs ?? 0));
    // One second less the jitter of 20 %; how late it comes is the machine's affair.
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(800);
    expect(delivery.attempts.map(({ outcome }) => outcome)).toEqual(['retry', 'retry', 'delivered']);
  });

  it('whose attempts are used up is found in the API and in the queue, and a redrive delivers it', async () => {
    const organization = await tidings.makeOrganization('org_dead');
    const endpoint = await tidings.makeEndpoint(organization, '/dead');
    tidings.receiver.behave('/dead', () => 500);
    await tidings.publish(anEntry(organization));

    const dead = await deliveryOf(organization, endpoint, 'dead');
    const letters = await tidings.call('GET', `/v1/organizations/${organization}/dead-letters`);
    expect(letters.body.data).toMatchObject([
      { endpointId: endpoint, eventId: dead.eventId, lastError: 'http_500' },
    ]);

    const QueueUrl = tidings.runtime.output('DeadLetterQueueUrl');
    const [message] = await until('the message in the queue', async () => {
      const receive = new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 0 });
      return (await tidings.sqs.send(receive)).Messages;
    });
    const explained = JSON.parse(message?.Body ?? '') as object;
    expect(explained).toMatchObject({
      organizationId: organization,
      endpointId: endpoint,
      eventId: dead.eventId,
      eventType: 'pipeline.run.failed',
      dead: { attempts: 3, lastError: 'http_500' },
    });
    expect(message?.Body).not.toContain(payloadMarker);

    tidings.receiver.behave('/dead', () => 204);
    // SQS's clock goes on by the minute after which a dead message has evidently been redriven.
    tidings.clock.skew(61_000);
    const queue = tidings.runtime.aws.sqs.queueByUrl(QueueUrl);
    await tidings.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: queue.arn }));
    const delivered = await deliveryOf(organization, endpoint, 'delivered');
    expect(delivered).toMatchObject({ round: 2, attemptCount: 4 });
    expect(new Set(requestsTo('/dead').map(({ webhookId }) => webhookId)).size).toBe(1);
    const after = await tidings.call('GET', `/v1/organizations/${organization}/dead-letters`);
    expect(after.body.data).toEqual([]);
  });

  it('can be delivered once more by hand', async () => {
    const organization = await tidings.makeOrganization('org_again');
    const endpoint = await tidings.makeEndpoint(organization, '/again');
    await tidings.publish(anEntry(organization));
    const { eventId } = await deliveryOf(organization, endpoint, 'delivered');
    const path = `/v1/organizations/${organization}/endpoints/${endpoint}/deliveries/${eventId}`;
    const answer = await tidings.call('POST', `${path}/retry`);
    expect(answer.status).toBe(202);
    await until('the second request', () => requestsTo('/again').length === 2);
    const delivery = await until('the second attempt', async () => {
      const { body } = await tidings.call('GET', path);
      return body.attemptCount === 2 && body;
    });
    expect(delivery).toMatchObject({ status: 'delivered', round: 2 });
  });

  it('is accepted by svix, too', async () => {
    const organization = await tidings.makeOrganization('org_svix');
    const body = { url: `${tidings.receiver.url}/svix`, categories: ['governance'] };
    const created = await tidings.call('POST', `/v1/organizations/${organization}/endpoints`, { body });
    tidings.receiver.trust('/svix', created.body.secret);
    await tidings.publish(anEntry(organization, { type: 'governance.contract.violated' }));
    const [request] = await until('the webhook', () => requestsTo('/svix').length > 0 && requestsTo('/svix'));
    expect(() => {
      new SvixWebhook(created.body.secret).verify(String(request?.body), {
        'webhook-id': String(request?.webhookId),
        'webhook-timestamp': String(request?.timestampSeconds),
        'webhook-signature': String(request?.signature),
      });
    }).not.toThrow();
  });
});

describe('what cannot be delivered', () => {
  it('an organization without the plan gets 403 and no deliveries, and sees why', async () => {
    const organization = await tidings.makeOrganization('org_poor');
    await tidings.makeEndpoint(organization, '/poor');
    await tidings.makeOrganization(organization, 'standard');
    const refused = await tidings.call('POST', `/v1/organizations/${organization}/events`, {
      token: await tidings.tokenOf(organization),
      body: { type: 'pipeline.run.failed', data: {} },
    });
    expect(refused).toMatchObject({ status: 403, body: { code: 'enterprise_plan_required' } });
    await tidings.publish(anEntry(organization));
    const event = await until('the event', async () => {
      const { body } = await tidings.call('GET', `/v1/organizations/${organization}/events`);
      return body.data[0];
    });
    const report = await tidings.call('GET', `/v1/organizations/${organization}/events/${event.id}`);
    expect(report.body['skipped']).toMatchObject([{ reason: 'not_entitled' }]);

    // Something that must arrive after it proves that nothing was on its way.
    const other = await tidings.makeOrganization('org_rich');
    await tidings.makeEndpoint(other, '/rich');
    await tidings.publish(anEntry(other));
    await until('the other webhook', () => requestsTo('/rich').length > 0);
    expect(requestsTo('/poor')).toEqual([]);
  });

  it.each([
    ['an unknown type', 'unknown_event_type', { type: 'pipeline.run.exploded' }],
    ['a detail with an unknown field', 'invalid_event', { detail: { idempotency_key: 'x' } }],
    ['a detail without data', 'invalid_event', { detail: { data: undefined } }],
    [
      '257 KB',
      'event_too_large',
      { detail: { data: { text: `${payloadMarker}${'x'.repeat(257 * 1024)}` } } },
    ],
  ])('%s is kept as refused, with its reason', async (name, reason, entry) => {
    const organization = await tidings.makeOrganization(`org_${name.replaceAll(' ', '_')}`);
    await tidings.publish(anEntry(organization, entry));
    const event: { explanation: string } = await until('the refused event', async () => {
      const { body } = await tidings.call('GET', `/v1/organizations/${organization}/events`);
      return body.data[0];
    });
    expect(event).toMatchObject({ status: 'refused', reason });
    expect(event.explanation).not.toContain(payloadMarker);
  });

  it('an event of an unknown organization ends in the dead-letter queue of events, and can be redriven', async () => {
    await tidings.publish(anEntry('org_unknown'));
    const { QueueUrl } = await tidings.sqs.send(new GetQueueUrlCommand({ QueueName: 'tidings-events-dead' }));
    const queue = tidings.runtime.aws.sqs.queueByUrl(String(QueueUrl));
    await until('the event in events-dead', () => queue.counts().visible > 0);

    await tidings.makeOrganization('org_unknown');
    await tidings.makeEndpoint('org_unknown', '/unknown');
    await tidings.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: queue.arn }));
    await until('the webhook after the redrive', () => requestsTo('/unknown').length > 0);
  });

  it('no line of any log holds a payload, a secret, a signature or a token, and no answer shows one again', async () => {
    for (const { signature } of tidings.received) tidings.planted.add(signature.replace('v1,', ''));
    expect(tidings.planted.size).toBeGreaterThan(10);
    expect(tidings.logLines.length).toBeGreaterThan(20);
    expect(tidings.leaks()).toEqual([]);
    expect(await tidings.shownTwice()).toEqual([]);
  });
});

describe('two organizations', () => {
  it('cannot see each other', async () => {
    const [mine, theirs] = [
      await tidings.makeOrganization('org_mine'),
      await tidings.makeOrganization('org_theirs'),
    ];
    const endpoint = await tidings.makeEndpoint(theirs, '/theirs');
    const token = await tidings.tokenOf(mine);
    const missing = await tidings.call('GET', '/v1/organizations/org_nobody/endpoints', { token });
    for (const path of ['endpoints', `endpoints/${endpoint}`, 'events', 'dead-letters', '']) {
      const answer = await tidings.call('GET', `/v1/organizations/${theirs}/${path}`.replace(/\/$/, ''), {
        token,
      });
      expect(withoutRequestId(answer.text)).toBe(withoutRequestId(missing.text));
      expect(answer.status).toBe(404);
    }
    // Nor by an id of the other's under the own organization's name.
    const crossed = await tidings.call('GET', `/v1/organizations/${mine}/endpoints/${endpoint}`, { token });
    expect(crossed.status).toBe(404);
  });

  it('are told apart by real tokens: a wrong, expired or missing one gets 401', async () => {
    const path = '/v1/organizations/org_mine/endpoints';
    const good = await tidings.tokenOf('org_mine');
    const expired = await tidings.runtime.issueToken({
      organizationId: 'org_mine',
      expiresInSeconds: -60,
    });
    const [head, claims] = good.split('.');
    for (const token of [expired, 'nonsense', '', `${String(head)}.${String(claims)}.AAAA`]) {
      expect((await tidings.call('GET', path, { token })).status).toBe(401);
    }
    expect((await tidings.call('GET', path, { token: good })).status).toBe(200);
  });
});
