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
      await keys.rotate({ made: key, ended: [], newestKid: undefined });
    expect(await keys.listRetired(inDecember(5))).toEqual([early, late]);
  });
});
