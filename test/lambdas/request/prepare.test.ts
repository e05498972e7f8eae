import { createHash } from 'node:crypto';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, test, vi } from 'vitest';
import { prepare } from '../../../lambdas/request/prepare.ts';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { keySetOf } from '../../../lambdas/signing/signing-key.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { eventIdOf } from '../../fakes/ids.ts';
import { memorySecrets, secretOf } from '../../fakes/secrets.ts';
import { memorySigningKeys } from '../../fakes/signing-keys.ts';

const body = Buffer.from('{"id":"evt_1","data":{"greeting":"Grüße, 世界 🎉"}}');
const createdAt = '2026-11-01T00:00:00.000Z';
const hourMs = 3_600_000;

/** Secrets and signing keys, none of them there yet, and a time that can be moved. */
function thePorts(nowMs = testStartMs) {
  const clock = aClock(nowMs);
  return { ...memorySecrets(), ...memorySigningKeys(), clock, now: clock.now };
}

const unsigned = { webhookId: eventIdOf('one'), body, attemptId: 'evt_1-1' };

async function signedBy(endpoint: Endpoint, nowMs = testStartMs) {
  const secrets = thePorts(nowMs);
  secrets.keepFor(endpoint);
  const { headers } = await prepare(secrets, endpoint, unsigned);
  return headers;
}

/** What a receiver does that holds this version of the secret, when the request arrives. */
function verifiesWith(versionId: string, headers: Readonly<Record<string, string>>, nowMs = testStartMs) {
  vi.useFakeTimers({ now: nowMs, toFake: ['Date'] });
  try {
    new StandardWebhook(secretOf(versionId)).verify(body, { ...headers });
    new SvixWebhook(secretOf(versionId)).verify(body, { ...headers });
    return true;
  } catch {
    return false;
  } finally {
    vi.useRealTimers();
  }
}

describe('a signature', () => {
  test('is accepted by the stock libraries standardwebhooks and svix', async () => {
    const headers = await signedBy(anEndpoint());
    expect(verifiesWith('one-v1', headers)).toBe(true);
  });

  test('is refused with another endpoint’s secret', async () => {
    const headers = await signedBy(anEndpoint());
    expect(verifiesWith('other-v1', headers)).toBe(false);
  });

  test('is refused for another id and for another time', async () => {
    const headers = await signedBy(anEndpoint());
    expect(verifiesWith('one-v1', { ...headers, 'webhook-id': eventIdOf('two') })).toBe(false);
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(verifiesWith('one-v1', { ...headers, 'webhook-timestamp': later })).toBe(false);
  });

  test('is refused by a receiver more than five minutes later: it cannot be replayed', async () => {
    const headers = await signedBy(anEndpoint());
    expect(verifiesWith('one-v1', headers, testStartMs + 299_000)).toBe(true);
    expect(verifiesWith('one-v1', headers, testStartMs + 302_000)).toBe(false);
  });

  test('comes with exactly the headers of Standard Webhooks', async () => {
    const headers = await signedBy(anEndpoint(), testStartMs + 999);
    expect(headers).toEqual({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Tidings\/\d+\.\d+\.\d+$/) as unknown,
      'webhook-id': eventIdOf('one'),
      'webhook-timestamp': String(testStartMs / 1000),
      'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/) as unknown,
    });
  });
});

describe('a secret that is being rotated', () => {
  const expiresAt = isoTime(testStartMs + hourMs);
  const rotated = anEndpoint({
    secretVersions: [
      { id: 'new', createdAt },
      { id: 'old', createdAt, expiresAt },
    ],
  });

  test('signs with both versions during the overlap, the newest first, one space between them', async () => {
    const headers = await signedBy(rotated);
    const onlyNew = await signedBy(anEndpoint({ secretVersions: [{ id: 'new', createdAt }] }));
    const signatures = headers['webhook-signature']?.split(' ') ?? [];
    expect(signatures).toHaveLength(2);
    expect(signatures[0]).toBe(onlyNew['webhook-signature']);
    expect(verifiesWith('new', headers) && verifiesWith('old', headers)).toBe(true);
  });

  test('signs with the new version alone once the old one has expired', async () => {
    const nowMs = testStartMs + hourMs;
    const headers = await signedBy(rotated, nowMs);
    expect(verifiesWith('new', headers, nowMs)).toBe(true);
    expect(verifiesWith('old', headers, nowMs)).toBe(false);
  });

  test('never makes more than three signatures, or receivers fail', async () => {
    const secretVersions = ['e', 'd', 'c', 'b', 'a'].map((id) => ({ id, createdAt, expiresAt }));
    const headers = await signedBy(anEndpoint({ secretVersions }));
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(3);
    expect(verifiesWith('e', headers)).toBe(true);
  });
});

describe('nothing goes out unsigned', () => {
  test('a version that cannot be had is an error, though another one can', async () => {
    const secrets = thePorts();
    secrets.keepFor(anEndpoint({ secretVersions: [{ id: 'new', createdAt }] }));
    const endpoint = anEndpoint({
      secretVersions: [
        { id: 'new', createdAt },
        { id: 'lost', createdAt },
      ],
    });
    const preparing = prepare(secrets, endpoint, unsigned);
    await expect(preparing).rejects.toThrow('there is no such version of a secret');
  });

  test('an endpoint without a live version is an error', async () => {
    const expired = { id: 'old', createdAt, expiresAt: isoTime(testStartMs) };
    await expect(signedBy(anEndpoint({ secretVersions: [expired] }))).rejects.toThrow('unsigned');
  });
});

describe('a timestamp', () => {
  test('is that of the signature, however long the secret took to come', async () => {
    const ports = thePorts();
    ports.keepFor(anEndpoint());
    const { readSecret } = ports;
    ports.readSecret = (name, versionId) => {
      ports.clock.pass(8_000);
      return readSecret(name, versionId);
    };
    const { headers } = await prepare(ports, anEndpoint(), unsigned);
    expect(headers['webhook-timestamp']).toBe(String((testStartMs + 8_000) / 1000));
    expect(verifiesWith('one-v1', headers, testStartMs + 8_000)).toBe(true);
  });

  test('that grew old while KMS signed goes out with nothing', async () => {
    const ports = thePorts();
    ports.make();
    const { signDigest } = ports;
    ports.signDigest = (key, digest) => {
      ports.clock.pass(2_001);
      return signDigest(key, digest);
    };
    await expect(prepare(ports, anEndpoint({ scheme: 'jwt' }), unsigned)).rejects.toThrow('too long');
  });
});

describe('the headers of an endpoint’s own', () => {
  const owner = { organizationId: 'org_1', endpointId: anEndpoint().id };

  test('go out beside ours, a secret one with the value of its version', async () => {
    const secrets = thePorts();
    const headers = [
      { name: 'x-team', value: 'data' },
      { name: 'authorization', secret: true as const, versionId: 'h1' },
    ];
    secrets.keepFor(anEndpoint());
    await secrets.put({ ...owner, part: 'headers' }, { id: 'h1', value: 'Bearer abc' });
    const prepared = await prepare(secrets, anEndpoint({ headers }), unsigned);
    expect(prepared.headers).toMatchObject({ 'x-team': 'data', authorization: 'Bearer abc' });
    expect(verifiesWith('one-v1', prepared.headers)).toBe(true);
  });

  test('never replace one of ours', async () => {
    const secrets = thePorts();
    secrets.keepFor(anEndpoint());
    const headers = [{ name: 'webhook-id', value: 'evt_forged' }];
    const prepared = await prepare(secrets, anEndpoint({ headers }), unsigned);
    expect(prepared.headers['webhook-id']).toBe(eventIdOf('one'));
  });

  test('are all there or nothing goes out', async () => {
    const secrets = thePorts();
    secrets.keepFor(anEndpoint());
    const headers = [{ name: 'authorization', secret: true as const, versionId: 'lost' }];
    await expect(prepare(secrets, anEndpoint({ headers }), unsigned)).rejects.toThrow('no such version');
  });
});

describe('a client certificate', () => {
  const certificate = {
    versionId: 'c1',
    subject: 'CN=client',
    issuer: 'CN=authority',
    serialNumber: '01',
    fingerprintSha256: 'AB',
    notBefore: createdAt,
    notAfter: createdAt,
  };
  const endpoint = anEndpoint({ clientCertificate: certificate });

  test('is handed to the connection with its key', async () => {
    const secrets = thePorts();
    secrets.keepFor(endpoint);
    const name = { organizationId: 'org_1', endpointId: endpoint.id, part: 'client-certificate' } as const;
    await secrets.put(name, { id: 'c1', value: '{"certificate":"PEM 1","privateKey":"PEM 2"}' });
    const { clientCertificate } = await prepare(secrets, endpoint, unsigned);
    expect(clientCertificate).toEqual({ certificate: 'PEM 1', key: 'PEM 2' });
  });

  test('that cannot be had lets nothing go out without it', async () => {
    const secrets = thePorts();
    secrets.keepFor(endpoint);
    await expect(prepare(secrets, endpoint, unsigned)).rejects.toThrow('no such version');
  });
});

describe('a token, for an endpoint of the scheme jwt,', () => {
  const endpoint = anEndpoint({ scheme: 'jwt' });

  test('is accepted by the stock library jose with the published key, and tells whom and what it is for', async () => {
    const ports = thePorts();
    const key = ports.make();
    const { headers } = await prepare(ports, endpoint, unsigned);
    const keySet = createLocalJWKSet(keySetOf([key], testStartMs));
    const { payload, protectedHeader } = await jwtVerify(headers['webhook-jwt'] ?? '', keySet, {
      issuer: ports.issuer,
      audience: endpoint.id,
      algorithms: ['ES256'],
      typ: 'webhook+jwt',
      currentDate: new Date(testStartMs),
    });
    expect(protectedHeader.kid).toBe(key.kid);
    expect(payload).toMatchObject({
      iat: Number(headers['webhook-timestamp']),
      webhook_id: headers['webhook-id'],
      body_sha256: createHash('sha256').update(body).digest('base64url'),
    });
    expect(headers).not.toHaveProperty('webhook-signature');
  });

  test('is never left out: without a key in use nothing goes out', async () => {
    const ports = thePorts();
    ports.make({ activeFrom: isoTime(testStartMs + 1) });
    ports.make({ organizationId: 'org_2' });
    await expect(prepare(ports, endpoint, unsigned)).rejects.toThrow('no signing key');
  });

  test('is never left out: when KMS does not sign, nothing goes out', async () => {
    const ports = thePorts();
    ports.make();
    ports.signDigest = () => Promise.reject(new Error('throttled'));
    await expect(prepare(ports, endpoint, unsigned)).rejects.toThrow('throttled');
  });
});
