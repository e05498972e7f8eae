import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsError } from '../../local/aws/aws-error.ts';
import { anAuthority } from '../lambdas/request/certificates.ts';
import type { Authority } from '../lambdas/request/certificates.ts';
import { aTlsReceiver, scripts } from '../lambdas/request/bad-receivers.ts';
import type { Receiver } from '../lambdas/request/bad-receivers.ts';
import { verify } from '../../verify/verify.ts';
import { anEntry, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

let tidings: Tidings;
let authority: Authority;
let isKmsDown = false;
let signCalls = 0;
let publicKeyCalls = 0;
const receivers: Receiver[] = [];

beforeAll(async () => {
  authority = await anAuthority();
  tidings = await startTidings({
    extraCas: [authority.certificate],
    beforeCall: (service, action) => {
      if (service === 'kms' && action === 'Sign') signCalls += 1;
      if (service === 'kms' && action === 'GetPublicKey') publicKeyCalls += 1;
      if (isKmsDown && service === 'kms') throw new AwsError('ThrottlingException', 'Rate exceeded');
      return Promise.resolve();
    },
  });
});

afterAll(async () => {
  await tidings.stop();
  await Promise.all(receivers.map((receiver) => receiver.close()));
});

/** An organization with one endpoint on a receiver that takes everything. */
async function scene(organization: string, more: object = {}) {
  await tidings.makeOrganization(organization);
  const { certificate, key } = await authority.issue({ names: ['localhost'] });
  const receiver = await aTlsReceiver(scripts.well, { cert: certificate, key });
  receivers.push(receiver);
  const path = `/v1/organizations/${organization}/endpoints`;
  const body = { url: `https://localhost:${String(receiver.port)}/`, eventTypes: ['*'], ...more };
  const created = await tidings.call('POST', path, { body });
  expect(created.status, created.text).toBe(201);
  tidings.planted.add(created.body.secret);
  return {
    endpoint: created.body.id,
    secret: created.body.secret,
    receiver,
    path: `${path}/${created.body.id}`,
  };
}

/** The one request that a receiver got: headers by name, and the raw body. */
async function requestOf(receiver: Receiver) {
  const raw = await until(
    'a request',
    () => /\r\n\r\n.*\}$/s.test(receiver.received()) && receiver.received(),
  );
  const [head = '', body = ''] = raw.split('\r\n\r\n');
  const lines = head.split('\r\n').slice(1);
  const headers = Object.fromEntries(
    lines.map((line) => line.split(': ', 2)).map(([k = '', v = '']) => [k, v]),
  );
  for (const part of ['webhook-jwt', 'webhook-signature'])
    if (headers[part]) tidings.planted.add(headers[part]);
  return { headers, body };
}

async function keySet(organization: string): Promise<JSONWebKeySet> {
  const url = `${tidings.runtime.api}/v1/organizations/${organization}/.well-known/jwks.json`;
  const response = await fetch(url);
  expect(response.headers.get('cache-control')).toBe('public, max-age=300');
  // Wherever there is GET, without a token too: the gateway answered 401.
  const head = await fetch(url, { method: 'HEAD' });
  expect([head.status, head.headers.get('etag')]).toEqual([200, response.headers.get('etag')]);
  return (await response.json()) as JSONWebKeySet;
}

describe('the scheme jwt', () => {
  it.each(['ES256', 'RS256'])(
    'sends a token by %s that jose verifies with the published keys',
    async (algorithm) => {
      const organization = `org_${algorithm}`;
      const { endpoint, receiver, path } = await scene(organization);
      const rotated = await tidings.call('POST', `/v1/organizations/${organization}/signing-keys/rotate`, {
        body: { algorithm },
      });
      expect(rotated).toMatchObject({ status: 201, body: { data: [{ algorithm, state: 'active' }] } });
      await tidings.call('PATCH', path, { body: { scheme: 'jwt' } });
      const before = { signCalls, publicKeyCalls };
      await tidings.publish(anEntry(organization));

      const { headers, body } = await requestOf(receiver);
      expect(headers).not.toHaveProperty('webhook-signature');
      const set = await keySet(organization);
      const { payload } = await jwtVerify(headers['webhook-jwt'] ?? '', createLocalJWKSet(set), {
        algorithms: [algorithm],
        audience: endpoint,
        issuer: tidings.runtime.output('WebhookIssuer'),
        typ: 'webhook+jwt',
        maxTokenAge: '5 minutes',
      });
      expect(payload['webhook_id']).toBe(headers['webhook-id']);
      expect(String(payload.iat)).toBe(headers['webhook-timestamp']);
      expect(payload['body_sha256']).toBe(createHash('sha256').update(body, 'latin1').digest('base64url'));
      const ours = { jwks: set, audience: endpoint, issuer: tidings.runtime.output('WebhookIssuer') };
      const request = { body: Buffer.from(body, 'latin1'), headers };
      expect((await verify(request, ours)).event.id).toBe(headers['webhook-id']);
      const foreign = { ...ours, audience: 'ep_another' };
      await expect(verify(request, foreign)).rejects.toMatchObject({ code: 'wrong_audience' });
      // Public members only, and one call of KMS for one attempt.
      for (const key of set.keys) expect(key).not.toHaveProperty('d');
      expect(signCalls - before.signCalls).toBe(1);
      expect(publicKeyCalls).toBe(before.publicKeyCalls);
    },
  );

  it('makes the first key on demand, and shows no key set of an organization that has none', async () => {
    await scene('org_first', { scheme: 'jwt' });
    expect((await keySet('org_first')).keys).toHaveLength(1);
    await tidings.makeOrganization('org_keyless');
    for (const organization of ['org_keyless', 'org_nobody']) {
      const url = `${tidings.runtime.api}/v1/organizations/${organization}/.well-known/jwks.json`;
      expect((await fetch(url)).status).toBe(404);
    }
  });

  it('publishes the next key before its first use and the last one after', async () => {
    const { path } = await scene('org_rotating', { scheme: 'jwt' });
    const keys = `${path.replace(/endpoints.*/, '')}signing-keys`;
    const [first] = (await tidings.call('GET', keys)).body.data;
    const { body } = await tidings.call('POST', `${keys}/rotate`, { body: { leadSeconds: 3_600 } });
    expect(body.data.map((key) => key['state'])).toEqual(['pending', 'active']);
    expect(body.data[1]?.['kid']).toBe(first?.['kid']);
    expect((await keySet('org_rotating')).keys).toHaveLength(2);

    // An emergency: the old ones are gone at once, and KMS destroys them.
    const emergency = await tidings.call('POST', `${keys}/rotate`, {
      body: { leadSeconds: 0, overlapSeconds: 0 },
    });
    expect(emergency.body.data.map((key) => key['state'])).toEqual(['active', 'retired', 'retired']);
    expect((await keySet('org_rotating')).keys).toHaveLength(1);
    await tidings.runtime.runSchedules();
    expect((await tidings.call('GET', keys)).body.data).toHaveLength(1);
    const states = tidings.runtime.aws.kms.keys().map(({ state }) => state);
    expect(states.filter((state) => state === 'PendingDeletion')).toHaveLength(2);
  });

  it('waits while KMS is throttled: nothing goes out unsigned, and no attempt is spent', async () => {
    const { receiver, path } = await scene('org_throttled', { scheme: 'jwt' });
    isKmsDown = true;
    await tidings.publish(anEntry('org_throttled'));
    const held = await until('the hold', () =>
      tidings.logLines.find((line) => line.includes('delivery.held') && line.includes('org_throttled')),
    );
    isKmsDown = false;
    expect(held).toContain('signing_unavailable');
    expect(receiver.connections()).toBe(0);
    expect((await tidings.call('GET', `${path}/deliveries`)).body.data).toEqual([]);
  });
});

describe('the rotation of a secret', () => {
  it('signs with both, so that neither the old nor the new secret fails', async () => {
    const { receiver, secret, path } = await scene('org_secret');
    const rotated = await tidings.call('POST', `${path}/secret/rotate`);
    expect(rotated.status).toBe(200);
    tidings.planted.add(rotated.body.secret);
    expect(rotated.body.secret).not.toBe(secret);
    await tidings.publish(anEntry('org_secret'));
    const { headers, body } = await requestOf(receiver);
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const known of [secret, rotated.body.secret]) new Webhook(known).verify(body, headers);
    const request = { body: Buffer.from(body, 'latin1'), headers };
    expect((await verify(request, { secret })).event.type).toBe('pipeline.run.failed');
    expect(() => new Webhook(`whsec_${'A'.repeat(32)}`).verify(body, headers)).toThrow();
    // It is shown in that one answer.
    const shown = await tidings.call('GET', path);
    expect(shown.text).not.toContain(rotated.body.secret.slice('whsec_'.length));
  });

  it('takes a secret of the caller’s own, and refuses what is none', async () => {
    const own = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    tidings.planted.add(own);
    const { receiver, secret, path } = await scene('org_own', { secret: own });
    expect(secret).toBe(own);
    await tidings.publish(anEntry('org_own'));
    const { headers, body } = await requestOf(receiver);
    new Webhook(own).verify(body, headers);
    for (const wrong of ['whsec_AAAA', 'nonsense!', `whsec_${Buffer.alloc(65).toString('base64')}`]) {
      const answer = await tidings.call('POST', `${path}/secret/rotate`, { body: { secret: wrong } });
      expect(answer).toMatchObject({ status: 400, body: { field: 'secret' } });
    }
  });

  it('refuses a fourth live secret, which would silently end the oldest', async () => {
    const { path } = await scene('org_many');
    const statuses: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      const answer = await tidings.call('POST', `${path}/secret/rotate`);
      if (answer.body.secret !== '') tidings.planted.add(answer.body.secret);
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([200, 200, 409]);
    const emergency = await tidings.call('POST', `${path}/secret/rotate`, { body: { overlapSeconds: 0 } });
    expect(emergency.status).toBe(200);
    tidings.planted.add(emergency.body.secret);
    expect(emergency.body['secretVersions']).toHaveLength(1);
  });
});

it('no log line holds a secret, a token or a signature, and no answer shows one again', async () => {
  expect(tidings.logLines.length).toBeGreaterThan(20);
  expect(tidings.leaks()).toEqual([]);
  expect(await tidings.shownTwice()).toEqual([]);
});
