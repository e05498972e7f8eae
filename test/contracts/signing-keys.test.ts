import { InternalServerError, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NotWritten } from '../../lambdas/shared/errors.ts';
import type { SigningKey } from '../../lambdas/signing/signing-key.ts';
import { makeSigningKeyStore } from '../../lambdas/signing/store.ts';
import { aSigning } from '../lambdas/signing/a-signing.ts';
import type { MemorySigning } from '../lambdas/signing/a-signing.ts';
import { kinds } from './tables.ts';
import type { Tables } from './tables.ts';

const day = (number: number) => `2026-12-0${String(number)}T00:00:00.000Z`;

interface Stored {
  readonly keys: MemorySigning['keys'];
  /** Stores a key as it was before rotations named the newest. */
  readonly put: (key: SigningKey) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

function storedIn({ client, config, close }: Tables): Stored {
  return {
    keys: makeSigningKeyStore(client, config),
    put: (key) => {
      const Item = { pk: `ORG#${key.organizationId}`, sk: `KEY#${key.kid}`, ...key };
      return client.send(new PutCommand({ TableName: config, Item }));
    },
    close,
  };
}

function storedInFake(): Stored {
  const { keys, set } = aSigning(() => 0);
  return { keys, put: (key) => Promise.resolve(set(key)), close: () => Promise.resolve() };
}

const stores: [string, () => Promise<Stored>][] = [
  ['fake', () => Promise.resolve(storedInFake())],
  ...kinds.map(([kind, start]): [string, () => Promise<Stored>] => [kind, () => start().then(storedIn)]),
];

let organizations = 0;

/** An organization of its own. */
function anOrganization(keys: Stored['keys']) {
  const organizationId = `org_${String((organizations += 1))}`;
  const aKey = (kid: string, given: Partial<SigningKey> = {}): SigningKey => ({
    ...{ organizationId, kid, algorithm: 'ES256', keyId: `key of ${kid}` },
    jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
    ...{ publishedAt: day(1), activeFrom: day(1) },
    ...given,
  });
  const list = () => keys.list(organizationId);
  const newestKid = () => keys.newestKid(organizationId);
  const first = aKey('first');
  const begin = () => keys.rotate({ made: first, ended: [], newestKid: undefined });
  /** A second rotation, which ends the first key. */
  const second = (kid: string, retiredAt = day(3)) => ({
    made: aKey(kid),
    ended: [{ before: first, after: { ...first, retiredAt } }],
    newestKid: 'first',
  });
  return { aKey, list, newestKid, first, begin, second };
}

describe.each(stores)('rotations of signing keys in %s', (_kind, start) => {
  let stored: Stored;
  let keys: Stored['keys'];
  beforeAll(async () => {
    stored = await start();
    keys = stored.keys;
  });
  afterAll(() => stored.close());

  test('publish the new key, end the others, and name the newest', async () => {
    const { list, newestKid, first, begin, second } = anOrganization(keys);
    expect(await newestKid()).toBeUndefined();
    expect(await begin()).toBe(true);
    expect([await newestKid(), await list()]).toEqual(['first', [first]]);
    const { made, ended, newestKid: read } = second('second');
    expect(await keys.rotate({ made, ended, newestKid: read })).toBe(true);
    expect(await newestKid()).toBe('second');
    expect(await list()).toEqual([{ ...first, retiredAt: day(3) }, made]);
    const retired = await keys.listRetired(day(4));
    expect(retired.filter(({ organizationId }) => organizationId === first.organizationId)).toHaveLength(1);
    await keys.remove({ ...first, retiredAt: day(3) });
  });

  test('that were begun at the same moment: one is written, and nothing of the other', async () => {
    const { aKey, list, newestKid } = anOrganization(keys);
    const both = ['a', 'b'].map((kid) => keys.rotate({ made: aKey(kid), ended: [], newestKid: undefined }));
    expect((await Promise.all(both)).toSorted()).toEqual([false, true]);
    expect((await list()).map(({ kid }) => kid)).toEqual([await newestKid()]);
  });

  test('the same of later ones, whatever they end', async () => {
    const { list, first, begin, second } = anOrganization(keys);
    await begin();
    expect(await keys.rotate(second('second'))).toBe(true);
    expect(await keys.rotate(second('third', day(2)))).toBe(false);
    expect(await keys.rotate({ ...second('third'), ended: [] })).toBe(false);
    expect(await list()).toEqual([{ ...first, retiredAt: day(3) }, second('second').made]);
  });

  test('the same of two that have the same new key, and of one that has it a second time', async () => {
    const { list, begin, second } = anOrganization(keys);
    await begin();
    const both = [second('second'), second('second', day(2))].map((rotated) => keys.rotate(rotated));
    expect((await Promise.all(both)).toSorted()).toEqual([false, true]);
    expect(await keys.rotate({ made: second('second').made, ended: [], newestKid: 'second' })).toBe(false);
    expect(await list()).toHaveLength(2);
  });

  test('write nothing when a key that they end has another end by now, or is gone', async () => {
    const { list, newestKid, first, begin, second } = anOrganization(keys);
    await begin();
    const { made, ended } = second('second');
    const misread = ended.map(({ after }) => ({ before: { ...first, retiredAt: day(2) }, after }));
    expect(await keys.rotate({ made, ended: misread, newestKid: 'first' })).toBe(false);
    expect([await list(), await newestKid()]).toEqual([[first], 'first']);
    await keys.remove(first);
    expect(await keys.rotate(second('second'))).toBe(false);
    expect([await list(), await newestKid()]).toEqual([[], 'first']);
  });

  test('change the end that a key has', async () => {
    const { aKey, list, begin, second } = anOrganization(keys);
    await begin();
    await keys.rotate(second('second'));
    const [before] = await list();
    if (before === undefined) throw new Error('there is no key');
    const sooner = [{ before, after: { ...before, retiredAt: day(2) } }];
    expect(await keys.rotate({ made: aKey('third'), ended: sooner, newestKid: 'second' })).toBe(true);
    expect((await list())[0]).toEqual({ ...before, retiredAt: day(2) });
    await keys.remove(before);
  });

  test('end twenty keys and more at once', async () => {
    const { aKey, list, newestKid } = anOrganization(keys);
    const many = Array.from({ length: 30 }, (_, index) => aKey(`key ${String(index)}`));
    for (const key of many) await stored.put(key);
    const ended = many.map((before) => ({ before, after: { ...before, retiredAt: day(2) } }));
    expect(await keys.rotate({ made: aKey('last'), ended, newestKid: await newestKid() })).toBe(true);
    expect((await list()).filter(({ retiredAt }) => retiredAt === undefined)).toMatchObject([
      { kid: 'last' },
    ]);
    for (const { after } of ended) await keys.remove(after);
  });

  test('go on from keys that were stored before the newest was named', async () => {
    const { list, newestKid, first, second } = anOrganization(keys);
    await stored.put(first);
    expect([await newestKid(), await list()]).toEqual([undefined, [first]]);
    expect(await keys.rotate({ ...second('second'), newestKid: undefined })).toBe(true);
    expect(await newestKid()).toBe('second');
  });
});

describe.each(kinds)('a rotation of signing keys by way of %s', (_kind, start) => {
  let tables: Tables;
  let keys: Stored['keys'];
  beforeAll(async () => {
    tables = await start();
    keys = makeSigningKeyStore(tables.client, tables.config);
  });
  afterAll(() => tables.close());

  /** A store whose transactions are sent by somebody else. */
  function storeThatSends(transact: (send: () => Promise<unknown>) => Promise<unknown>) {
    const { client, config } = tables;
    const send = (command: unknown) => {
      const really = () => Reflect.apply(client.send.bind(client), client, [command]) as Promise<unknown>;
      return command instanceof TransactWriteCommand ? transact(really) : really();
    };
    return makeSigningKeyStore({ send } as unknown as DynamoDBDocumentClient, config);
  }

  const lost = new InternalServerError({ message: 'lost', $metadata: {} });

  test('whose answer is lost is written, however often it is sent', async () => {
    const { list, begin, second } = anOrganization(keys);
    await begin();
    const lossy = storeThatSends(async (send) => {
      await send();
      throw lost;
    });
    expect(await lossy.rotate(second('second'))).toBe(true);
    // The SDK sends again what was not answered.
    const repeating = storeThatSends(async (send) => {
      await send();
      return send();
    });
    const { made } = second('third');
    expect(await repeating.rotate({ made, ended: [], newestKid: 'second' })).toBe(true);
    expect(await list()).toHaveLength(3);
  });

  test('whose answer is lost is known as written also when somebody has gone on from it', async () => {
    const { aKey, begin, second } = anOrganization(keys);
    await begin();
    const overtaken = storeThatSends(async (send) => {
      await send();
      await keys.rotate({ made: aKey('third'), ended: [], newestKid: 'second' });
      throw lost;
    });
    expect(await overtaken.rotate(second('second'))).toBe(true);
  });

  test('that never arrives is not written, whoever has written the same key', async () => {
    const { list, begin, second } = anOrganization(keys);
    await begin();
    const failing = storeThatSends(() => Promise.reject(lost));
    await expect(failing.rotate(second('second'))).rejects.toBeInstanceOf(NotWritten);
    expect(await list()).toHaveLength(1);
    const overtaken = storeThatSends(async () => {
      await keys.rotate(second('second'));
      throw lost;
    });
    await expect(overtaken.rotate(second('second'))).rejects.toBeInstanceOf(NotWritten);
  });

  const cancelledBy = (Code: string) =>
    new TransactionCanceledException({
      ...{ message: 'cancelled', $metadata: {} },
      CancellationReasons: [{ Code: 'None' }, { Code }],
    });

  test.each(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'])(
    'that is cancelled by a %s is written a moment later',
    async (code) => {
      const { list, begin, second } = anOrganization(keys);
      await begin();
      let cancellations = 0;
      const busy = storeThatSends((send) => {
        if ((cancellations += 1) <= 2) return Promise.reject(cancelledBy(code));
        return send();
      });
      expect(await busy.rotate(second('second'))).toBe(true);
      expect(await list()).toHaveLength(2);
    },
  );

  test('that is cancelled again and again, or for another reason, is a fault of ours', async () => {
    const { begin, second } = anOrganization(keys);
    await begin();
    for (const code of ['TransactionConflict', 'ValidationError']) {
      const busy = storeThatSends(() => Promise.reject(cancelledBy(code)));
      await expect(busy.rotate(second('second'))).rejects.toMatchObject({
        name: 'TransactionCanceledException',
      });
    }
  });
});
