import { createLocalJWKSet, jwtVerify } from 'jose';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { prepare } from '../../../lambdas/request/prepare.ts';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { rotateSecret } from '../../../lambdas/endpoint/rotate-secret.ts';
import type { RegisterPorts } from '../../../lambdas/endpoint/register.ts';
import { rawSignature } from '../../../lambdas/signing/der.ts';
import { rotateKeys } from '../../../lambdas/signing/rotate-keys.ts';
import type { RotatedKeys } from '../../../lambdas/signing/rotate-keys.ts';
import { keySetOf, publicJwk } from '../../../lambdas/signing/signing-key.ts';
import type { SigningKey } from '../../../lambdas/signing/signing-key.ts';
import { signDigest as signAsKms } from '../../../local/aws/kms-signature.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { seededChance } from '../../fakes/chance.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { memorySecrets } from '../../fakes/secrets.ts';

/** What functions know of the configuration is up to this old (shared/cache.ts). */
const staleMsMax = 30_000;
const hourMs = 3_600_000;
const deliveries = 3_000;
const body = Buffer.from('{"id":"evt_1","data":{"text":"Grüße 🎉"}}');
const unsigned = { webhookId: 'evt_1', body, attemptId: 'evt_1-1' };

// The stock libraries read the clock of the process.
beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => vi.useRealTimers());

const notUsed = () => {
  throw new Error('not used here');
};

function signedBy(key: KeyObject | undefined, digest: Uint8Array): Uint8Array {
  if (key === undefined) throw new Error('there is no such key');
  return rawSignature(signAsKms(key, Buffer.from(digest), { kind: 'ecdsa', hash: 'sha256' }));
}

/** Three thousand moments within four hours, each with a configuration that is up to 30 s old. */
function moments() {
  const chance = seededChance(4711);
  return Array.from({ length: deliveries }, () => {
    const nowMs = testStartMs + Math.floor(chance() * 4 * hourMs);
    return { nowMs, readMs: nowMs - Math.floor(chance() * staleMsMax) };
  }).toSorted((a, b) => a.nowMs - b.nowMs);
}

describe('the rotation of a secret under load', () => {
  it('fails no verification: with the old secret through the overlap, with the new one from half a minute on', async () => {
    const secrets = memorySecrets();
    const first = anEndpoint();
    secrets.keepFor(first);
    const name = { organizationId: first.organizationId, endpointId: first.id, part: 'signing' as const };
    const old = await secrets.readSecret(name, first.secretVersions[0]?.id ?? '');
    const rotatedMs = testStartMs + hourMs;
    const ports: RegisterPorts = {
      rules: { listEventTypes: notUsed, target: notUsed as never, retentionDays: 30, endpointsMax: 1 },
      endpoints: {
        ...{
          add: notUsed,
          count: notUsed,
          idsNamed: notUsed,
          remove: notUsed,
          get: notUsed,
          startRemoval: notUsed,
        },
        replace: () => Promise.resolve(true),
      },
      secrets,
      chance: { newUuid: () => 'version-2', randomBytes: () => randomBytes(32) },
      ensureKey: notUsed,
      now: () => rotatedMs,
    };
    const { endpoint: second, secret: young } = await rotateSecret(ports, first, { overlapSeconds: 7_200 });
    const overlapEndsMs = rotatedMs + 2 * hourMs;

    let verified = 0;
    for (const { nowMs, readMs } of moments()) {
      vi.setSystemTime(nowMs);
      const endpoint: Endpoint = readMs >= rotatedMs ? second : first;
      const { headers } = await prepare(
        {
          readSecret: secrets.readSecret,
          readSigningKeys: notUsed,
          signDigest: notUsed,
          issuer: '',
          now: () => nowMs,
        },
        endpoint,
        unsigned,
      );
      // A receiver that knows both tries both; these know one each, as long as they are told it holds.
      if (nowMs < overlapEndsMs)
        verified += Number(new Webhook(old).verify(body, { ...headers }) !== undefined);
      if (nowMs >= rotatedMs + staleMsMax) {
        verified += Number(new Webhook(young).verify(body, { ...headers }) !== undefined);
      }
    }
    expect(verified).toBeGreaterThan(deliveries);
  });
});

describe('the rotation of a signing key under load', () => {
  it('fails no verification with the key set as it was published, up to five minutes old', async () => {
    const privateKeys = new Map<string, KeyObject>();
    const all = new Map<string, SigningKey>();
    let nowMs = testStartMs - hourMs;
    const ports = {
      keys: {
        list: () => Promise.resolve([...all.values()]),
        newestKid: () => Promise.resolve([...all.keys()].at(-1)),
        rotate: ({ made, ended }: RotatedKeys) => {
          for (const key of [...ended.map(({ after }) => after), made]) all.set(key.kid, key);
          return Promise.resolve(true);
        },
      },
      createKey: () => {
        const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const keyId = `key-${String(privateKeys.size)}`;
        privateKeys.set(keyId, privateKey);
        return Promise.resolve({ keyId, jwk: publicJwk.parse(publicKey.export({ format: 'jwk' })) });
      },
      now: () => nowMs,
    };
    const rotation = { algorithm: 'ES256' as const, leadSeconds: 1_800, overlapSeconds: 1_800 };
    await rotateKeys(ports, 'org_1', rotation);
    const before = [...all.values()];
    nowMs = testStartMs + hourMs;
    await rotateKeys(ports, 'org_1', rotation);
    const after = [...all.values()];
    const keysAt = (ms: number) => (ms >= testStartMs + hourMs ? after : before);
    const endpoint = anEndpoint({ scheme: 'jwt' });

    const usedKids = new Set<string>();
    const chance = seededChance(42);
    for (const moment of moments()) {
      vi.setSystemTime(moment.nowMs);
      const { headers } = await prepare(
        {
          readSecret: notUsed,
          readSigningKeys: () => Promise.resolve(keysAt(moment.readMs)),
          signDigest: ({ keyId }, digest) => Promise.resolve(signedBy(privateKeys.get(keyId), digest)),
          issuer: 'https://tidings.example.com',
          now: () => moment.nowMs,
        },
        endpoint,
        unsigned,
      );
      // What a receiver has cached was published within the last five minutes (max-age=300).
      const cachedMs = moment.nowMs - Math.floor(chance() * 300_000);
      const set = keySetOf(keysAt(cachedMs), cachedMs);
      const { protectedHeader } = await jwtVerify(headers['webhook-jwt'] ?? '', createLocalJWKSet(set), {
        algorithms: ['ES256'],
        audience: endpoint.id,
        currentDate: new Date(moment.nowMs),
      });
      usedKids.add(protectedHeader.kid ?? '');
    }
    expect(usedKids.size).toBe(2);
  });
});
