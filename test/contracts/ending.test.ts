import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeEndpointStore, makeListExpiring } from '../../lambdas/endpoint/store.ts';
import { makeSigningKeyStore } from '../../lambdas/signing/store.ts';
import type { SigningKey } from '../../lambdas/signing/signing-key.ts';
import { anEndpoint } from '../fakes/an-endpoint.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { startTables } from './tables.ts';
import type { Tables } from './tables.ts';

const kinds: [string, () => Promise<Tables>][] = [
  ['table', () => Promise.resolve(memoryTables({ now: () => 0 }))],
  ['DynamoDB', startTables],
];

describe.each(kinds)('what ends, in %s', (_kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  const inDecember = (day: number) => `2026-12-0${String(day)}T00:00:00.000Z`;

  test('endpoints whose certificate ends before a moment are listed, the nearest first, and no others', async () => {
    const endpoints = makeEndpointStore(tables.client, tables.config);
    const ending = (day: number) => {
      const names = {
        versionId: 'v1',
        subject: 'CN=x',
        issuer: 'CN=y',
        serialNumber: '1',
        fingerprintSha256: 'f',
      };
      const dates = { notBefore: inDecember(1), notAfter: inDecember(day) };
      return anEndpoint({ name: String(day), clientCertificate: { ...names, ...dates } });
    };
    for (const day of [5, 3, 4]) await endpoints.add(ending(day));
    await endpoints.add(anEndpoint({ name: 'without' }));
    const found = await makeListExpiring(tables.client, tables.config)(inDecember(5));
    expect(found).toEqual([ending(3), ending(4)]);
  });

  test('a signing key is ended by one of two that have read it, and by him a second time', async () => {
    const keys = makeSigningKeyStore(tables.client, tables.config);
    const before: SigningKey = {
      ...{ organizationId: 'org_two', kid: 'kid', algorithm: 'ES256', keyId: 'key' },
      jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
      ...{ publishedAt: inDecember(1), activeFrom: inDecember(1) },
    };
    const ended = (day: number) => ({ ...before, retiredAt: inDecember(day) });
    expect(await keys.replace(before, ended(3))).toBe(false);
    await keys.put(before);
    expect(await keys.replace(before, ended(3))).toBe(true);
    expect(await keys.replace(before, ended(3))).toBe(true);
    expect(await keys.replace(before, ended(4))).toBe(false);
    expect(await keys.list('org_two')).toEqual([ended(3)]);
    expect(await keys.replace(ended(3), ended(4))).toBe(true);
    await keys.remove(ended(4));
  });

  test('signing keys of all organizations that retired before a moment are listed, and no others', async () => {
    const keys = makeSigningKeyStore(tables.client, tables.config);
    const aKey = (organizationId: string, retiredAt?: string): SigningKey => ({
      organizationId,
      kid: `kid of ${organizationId}`,
      algorithm: 'ES256',
      keyId: 'key',
      jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
      publishedAt: inDecember(1),
      activeFrom: inDecember(1),
      ...(retiredAt === undefined ? {} : { retiredAt }),
    });
    const [late, early] = [aKey('org_late', inDecember(4)), aKey('org_early', inDecember(3))];
    for (const key of [late, early, aKey('org_in_use'), aKey('org_later', inDecember(5))])
      await keys.put(key);
    expect(await keys.listRetired(inDecember(5))).toEqual([early, late]);
  });
});
