import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anAuthority } from '../lambdas/request/certificates.ts';
import type { Authority, Wish } from '../lambdas/request/certificates.ts';
import {
  aClosedPort,
  answering,
  aTcpReceiver,
  aTlsReceiver,
  scripts,
} from '../lambdas/request/bad-receivers.ts';
import type { Receiver, Script } from '../lambdas/request/bad-receivers.ts';
import { anEntry, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

const organization = 'org_tests';
const endpointsPath = `/v1/organizations/${organization}/endpoints`;

let tidings: Tidings;
let authority: Authority;
const receivers: Receiver[] = [];

beforeAll(async () => {
  authority = await anAuthority();
  tidings = await startTidings({ extraCas: [authority.certificate] });
  await tidings.makeOrganization(organization);
});

afterAll(async () => {
  await tidings.stop();
  await Promise.all(receivers.map((receiver) => receiver.close()));
});

async function receiver(
  script: Script = scripts.well,
  { wish = {}, isClientAsked = false }: { wish?: Wish; isClientAsked?: boolean } = {},
): Promise<Receiver> {
  const { certificate, key } = await authority.issue({ names: ['localhost'], ...wish });
  const asked = isClientAsked
    ? { requestCert: true, rejectUnauthorized: true, ca: authority.certificate }
    : {};
  const made = await aTlsReceiver(script, { cert: certificate, key, ...asked });
  receivers.push(made);
  return made;
}

async function endpointAt(port: number, more: object = {}): Promise<string> {
  const body = { url: `https://localhost:${String(port)}/hooks`, policy: { timeoutSeconds: 1 }, ...more };
  const { status, body: endpoint, text } = await tidings.call('POST', endpointsPath, { body });
  expect(status, text).toBe(201);
  tidings.planted.add(endpoint.secret);
  return endpoint.id;
}

const test = (endpoint: string) => tidings.call('POST', `${endpointsPath}/${endpoint}/test`);

describe('a test event', () => {
  it('is a real signed request, whose every step is told, and stands in the history', async () => {
    const good = await receiver();
    const endpoint = await endpointAt(good.port);
    const { status, body } = await test(endpoint);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      outcome: 'delivered',
      statusCode: 200,
      phases: [
        { name: 'lookup', ok: true },
        { name: 'address_check', ok: true },
        { name: 'connect', ok: true },
        {
          name: 'tls',
          ok: true,
          version: 'TLSv1.3',
          certificate: { subject: expect.stringContaining('receiver') as string },
          clientCertificateRequested: false,
          clientCertificateGiven: false,
        },
        { name: 'request', ok: true },
        { name: 'first_byte', ok: true },
      ],
    });
    expect(good.received()).toMatch(/webhook-signature: v1,/);
    expect(good.received()).toContain('"type":"webhook.test"');
    const history = await tidings.call('GET', `${endpointsPath}/${endpoint}/deliveries`);
    expect(history.body.data).toMatchObject([
      { eventId: body.eventId, status: 'delivered', attempts: [{ trigger: 'test' }] },
    ]);
  });

  it.each<[string, () => Promise<number>, object]>([
    [
      'a certificate for another host',
      async () => (await receiver(scripts.well, { wish: { names: ['other.example.com'] } })).port,
      { code: 'tls_wrong_host', stoppedAt: 'tls' },
    ],
    [
      'an expired certificate',
      async () => (await receiver(scripts.well, { wish: { validFromDays: -30, validToDays: -1 } })).port,
      { code: 'tls_expired', stoppedAt: 'tls' },
    ],
    [
      'a good certificate under an intermediate that has expired',
      async () => {
        const ended = await authority.intermediate({ validFromDays: -900, validToDays: -300 });
        const { certificate, key } = await ended.issue({ names: ['localhost'] });
        const made = await aTlsReceiver(scripts.well, { cert: `${certificate}\n${ended.certificate}`, key });
        receivers.push(made);
        return made.port;
      },
      {
        code: 'tls_expired',
        stoppedAt: 'tls',
        advice: expect.stringContaining('Send the current intermediate certificate') as string,
      },
    ],
    [
      'a receiver that never finishes its handshake',
      async () => {
        const made = await aTcpReceiver();
        receivers.push(made);
        return made.port;
      },
      {
        code: 'timeout',
        stoppedAt: 'tls',
        message: expect.stringContaining('did not finish the TLS handshake within 1 s') as string,
        advice: expect.stringContaining('a longer timeoutSeconds does not help') as string,
      },
    ],
    ['a closed port', aClosedPort, { code: 'connection_refused', stoppedAt: 'connect' }],
    [
      'a receiver that hangs',
      async () => (await receiver(scripts.silent)).port,
      { code: 'timeout', stoppedAt: 'first_byte' },
    ],
    [
      'a receiver that demands a client certificate',
      async () => (await receiver(scripts.well, { isClientAsked: true })).port,
      { code: 'tls_client_certificate_required' },
    ],
    [
      'an answer of 500',
      async () => (await receiver(answering(500))).port,
      { code: 'http_500', statusCode: 500 },
    ],
  ])('%s is explained with what to fix', async (_name, portOf, expected) => {
    const endpoint = await endpointAt(await portOf());
    const { status, body } = await test(endpoint);
    expect(status).toBe(200);
    expect(body).toMatchObject({ outcome: 'failed', ...expected });
    expect(body['message']).toMatch(/^[A-Z].*\.$/);
    expect(body['advice']).toMatch(/^[A-Z].*\.$/);
    const history = await tidings.call('GET', `${endpointsPath}/${endpoint}/deliveries`);
    expect(history.body.data[0]?.attempts[0]?.['stoppedAt']).toBe(body['stoppedAt']);
    // It is not tried again, and nobody's dead letter.
    const letters = await tidings.call('GET', `/v1/organizations/${organization}/dead-letters`);
    expect(letters.body.data).toEqual([]);
  });

  it('can be sent ten times a minute', async () => {
    const endpoint = await endpointAt((await receiver()).port);
    const statuses: number[] = [];
    // Eleven may fall into two minutes, twenty-one not without one too many.
    for (let number = 0; number < 21; number += 1) statuses.push((await test(endpoint)).status);
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(statuses).toContain(429);
  });

  it('takes a token that may write', async () => {
    const endpoint = await endpointAt((await receiver()).port);
    const token = await tidings.runtime.issueToken({ organizationId: organization });
    const answer = await tidings.call('POST', `${endpointsPath}/${endpoint}/test`, { token });
    expect(answer).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } });
  });
});

describe('own headers', () => {
  it('go with every request, and a secret one never comes back', async () => {
    const good = await receiver();
    const credential = 'Bearer PLANTED-credential-1';
    tidings.planted.add('PLANTED-credential-1');
    const headers = [
      { name: 'X-Team', value: 'data platform' },
      { name: 'Authorization', value: credential },
    ];
    const endpoint = await endpointAt(good.port, { headers });
    await test(endpoint);
    expect(good.received()).toContain('X-Team: data platform');
    expect(good.received()).toContain(`Authorization: ${credential}`);

    const shown = await tidings.call('GET', `${endpointsPath}/${endpoint}`);
    expect(shown.body['headers']).toEqual([
      { name: 'X-Team', value: 'data platform' },
      { name: 'Authorization', secret: true },
    ]);
    expect(shown.text).not.toContain('PLANTED-credential-1');

    // Without a value it keeps the one it has.
    const change = { headers: [{ name: 'Authorization' }] };
    await tidings.call('PATCH', `${endpointsPath}/${endpoint}`, { body: change });
    await test(endpoint);
    expect(good.received().split(`Authorization: ${credential}`)).toHaveLength(3);
    expect(good.received().split('X-Team')).toHaveLength(2);
  });

  it.each(['Host', 'webhook-signature', 'Content-Length', 'X-Forwarded-For', 'transfer-encoding', 'cookie'])(
    '%s is refused',
    async (name) => {
      const body = { url: 'https://example.com/', headers: [{ name, value: 'x' }] };
      const answer = await tidings.call('POST', endpointsPath, { body });
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'header_not_allowed', field: 'headers.0.name' },
      });
    },
  );
});

describe('a client certificate', () => {
  it('opens a receiver that demands one; its key never comes back', async () => {
    const demanding = await receiver(scripts.well, { isClientAsked: true });
    const endpoint = await endpointAt(demanding.port);
    const path = `${endpointsPath}/${endpoint}/client-certificate`;
    const { certificate, key } = await authority.issue({ commonName: 'tidings' });
    const put = await tidings.call('PUT', path, { body: { certificate, privateKey: key } });
    expect(put).toMatchObject({ status: 201, body: { subject: 'CN=tidings' } });
    const got = await tidings.call('GET', path);
    expect(got.status).toBe(200);
    expect(got.text + put.text).not.toContain('PRIVATE');

    const { body } = await test(endpoint);
    expect(body).toMatchObject({ outcome: 'delivered' });
    expect(body['phases']).toContainEqual(
      expect.objectContaining({ clientCertificateRequested: true, clientCertificateGiven: true }),
    );
    expect((await tidings.call('DELETE', path)).status).toBe(204);
    expect((await tidings.call('GET', path)).status).toBe(404);
    expect((await test(endpoint)).body['code']).toBe('tls_client_certificate_required');
  });

  it('is refused at upload when it is expired, does not match its key, or is none', async () => {
    const endpoint = await endpointAt(4711);
    const path = `${endpointsPath}/${endpoint}/client-certificate`;
    const [mine, other] = [await authority.issue(), await authority.issue()];
    const expired = await authority.issue({ validFromDays: -30, validToDays: -1 });
    for (const [body, field] of [
      [{ certificate: expired.certificate, privateKey: expired.key }, 'certificate'],
      [{ certificate: mine.certificate, privateKey: other.key }, 'privateKey'],
      [{ certificate: 'nonsense', privateKey: mine.key }, 'certificate'],
      [{ certificate: mine.certificate, privateKey: 'nonsense' }, 'privateKey'],
    ] as const) {
      const answer = await tidings.call('PUT', path, { body });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_certificate', field } });
      expect(answer.text).not.toContain('PRIVATE');
    }
  });

  it('that ends within 30 days is warned of, once', async () => {
    const endpoint = await endpointAt(4711);
    const { certificate, key } = await authority.issue({ validToDays: 6 });
    const path = `${endpointsPath}/${endpoint}/client-certificate`;
    await tidings.call('PUT', path, { body: { certificate, privateKey: key } });
    await tidings.runtime.runSchedules();
    await tidings.runtime.runSchedules();
    const warnings = tidings.logLines.filter((line) => line.includes('certificate.expiring'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(endpoint);
    expect(warnings[0]).toContain('"days":7');
  });
});

describe("a receiver's answer", () => {
  it('is kept where the endpoint asks for it, cut at 1 KB, and nowhere else', async () => {
    const said = `PLANTED-answer<script>${'x'.repeat(2_000)}`;
    tidings.planted.add('PLANTED-answer');
    const script: Script = ({ end }) => {
      end(`HTTP/1.1 200 OK\r\ncontent-length: ${String(said.length)}\r\n\r\n${said}`);
    };
    const chatty = await receiver(script);
    const keeping = await endpointAt(chatty.port, { keepResponse: true, eventTypes: ['*'] });
    const silent = await endpointAt(chatty.port, { eventTypes: ['*'] });
    await tidings.publish(anEntry(organization));
    const answers = await Promise.all(
      [keeping, silent].map((endpoint) =>
        until('the delivery', async () => {
          const { body } = await tidings.call('GET', `${endpointsPath}/${endpoint}/deliveries`);
          return body.data[0]?.attempts[0];
        }),
      ),
    );
    expect(answers[0]?.['responseBody']).toBe(said.slice(0, 1024));
    expect(answers[1]).not.toHaveProperty('responseBody');
  });
});

it('no log line holds a credential, a secret or an answer', () => {
  expect(tidings.logLines.length).toBeGreaterThan(20);
  expect(tidings.leaks()).toEqual([]);
});
