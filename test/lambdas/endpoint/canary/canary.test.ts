import { Webhook } from 'standardwebhooks';
import { beforeEach, describe, expect, it } from 'vitest';
import { receiveCanary } from '../../../../lambdas/endpoint/canary/receive/receive-canary.ts';
import { canaryOrganization } from '../../../../lambdas/endpoint/canary/env.ts';
import { sendCanary } from '../../../../lambdas/endpoint/canary/send/send-canary.ts';
import type { SendPorts } from '../../../../lambdas/endpoint/canary/send/send-canary.ts';
import type { PublishedEntry } from '../../../../lambdas/event/publication/publish-once.ts';
import { memoryConfiguration } from '../../../fakes/configuration.ts';
import type { MemoryConfiguration } from '../../../fakes/configuration.ts';

const url = 'https://canary.lambda-url.eu-west-1.on.aws/';
const nowMs = Date.now();
const endpointsOf = async ({ readSubscribers }: MemoryConfiguration) =>
  (await readSubscribers(canaryOrganization)).endpoints;

describe('the canary’s sender', () => {
  let configuration: MemoryConfiguration;
  let published: PublishedEntry[];
  let secrets: string[];
  let ports: SendPorts;

  beforeEach(() => {
    configuration = memoryConfiguration();
    published = [];
    secrets = [];
    const silent = () => Promise.resolve();
    ports = {
      readSubscribers: configuration.readSubscribers,
      replaceOrganization: configuration.organizations.replace,
      registration: {
        endpoints: configuration.endpoints,
        secrets: {
          put: ({ endpointId }) => Promise.resolve(void secrets.push(endpointId)),
          retire: silent,
          remove: silent,
        },
        rules: {
          listEventTypes: () => Promise.resolve([]),
          target: { ports: [443], ownHosts: [], nat64: false, ipLiterals: false, loopback: false },
          retentionDays: 2,
          endpointsMax: 1,
        },
        ensureKey: silent,
        chance: { newUuid: () => '7f2c', randomBytes: () => new Uint8Array(32) },
        now: () => nowMs,
      },
      publish: (entry) => Promise.resolve(void published.push(entry)),
      log: () => undefined,
    };
  });

  it('makes its organization, its endpoint and a secret, once, and publishes each time as a producer does', async () => {
    await sendCanary(ports, url);
    await sendCanary(ports, url);
    const endpoints = await endpointsOf(configuration);
    expect(endpoints).toMatchObject([
      {
        url,
        eventTypes: ['pipeline.run.succeeded'],
        active: true,
        policy: { circuitBreaker: null, disableAfterHours: null },
      },
    ]);
    expect(secrets).toHaveLength(1);
    expect(published).toHaveLength(2);
    expect(published[0]).toMatchObject({ source: 'tidings.canary', detailType: 'pipeline.run.succeeded' });
    expect(JSON.parse(published[0]?.detail ?? '')).toEqual({
      organizationId: 'tidings-canary',
      occurredAt: new Date(nowMs).toISOString(),
      data: {},
    });
  });

  it('leads its endpoint to a receiver that has moved, with the same secret', async () => {
    await sendCanary(ports, url);
    const [before] = await endpointsOf(configuration);
    const moved = 'https://elsewhere.lambda-url.eu-west-1.on.aws/';
    await sendCanary(ports, moved);
    const [after, ...others] = await endpointsOf(configuration);
    expect(others).toEqual([]);
    expect(after).toMatchObject({ id: before?.id, url: moved, secretVersions: before?.secretVersions });
  });

  it('leaves off what a person has switched off', async () => {
    await sendCanary(ports, url);
    const [endpoint] = await endpointsOf(configuration);
    if (endpoint === undefined) throw new Error('there is no endpoint');
    configuration.set({ ...endpoint, active: false });
    await sendCanary(ports, url);
    expect(await endpointsOf(configuration)).toMatchObject([{ active: false }]);
  });
});

describe('the canary’s receiver', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const body = JSON.stringify({
    id: 'evt_1',
    type: 'pipeline.run.succeeded',
    timestamp: new Date(nowMs - 1_500).toISOString(),
    organizationId: canaryOrganization,
    data: {},
  });
  const headers = {
    'webhook-id': 'evt_1',
    'webhook-timestamp': String(Math.floor(nowMs / 1000)),
    'webhook-signature': new Webhook(secret).sign('evt_1', new Date(nowMs), body),
  };
  const lines: unknown[] = [];
  const receive = (request: object) =>
    receiveCanary(
      {
        readSecrets: () => Promise.resolve([secret]),
        now: () => nowMs,
        log: (message, fields) => lines.push({ message, ...fields }),
      },
      { headers, body, isBase64Encoded: false, ...request },
    );

  beforeEach(() => {
    lines.length = 0;
  });

  it('takes what is signed, and says how long it took', async () => {
    expect(await receive({})).toEqual({ statusCode: 204, body: '' });
    expect(lines).toEqual([{ message: 'canary.arrived', eventId: 'evt_1', tookMs: 1_500 }]);
    const encoded = { body: Buffer.from(body).toString('base64'), isBase64Encoded: true };
    expect(await receive(encoded)).toMatchObject({ statusCode: 204 });
  });

  it.each([
    ['no signature', { headers: {} }],
    ['another body', { body: body.replace('evt_1', 'evt_2') }],
    ['no body', { body: undefined }],
    ['an old time', { headers: { ...headers, 'webhook-timestamp': '1700000000' } }],
  ])('refuses %s and writes no line, however often it comes', async (_what, request) => {
    const answer = await receive(request);
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(answer.statusCode).toBeLessThan(500);
    expect(lines).toEqual([]);
  });
});
