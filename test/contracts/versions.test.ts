import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cached } from '../../lambdas/shared/cache.ts';
import { makeBatchedRead, makeBatchedReads } from '../../lambdas/shared/store.ts';
import type { Item, Key } from '../../lambdas/shared/store.ts';
import { byVersion } from '../../lambdas/shared/versions.ts';
import { makeSayChanged, makeVersions } from '../../lambdas/shared/versions/store.ts';
import { aClock } from '../fakes/clock.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { startTables } from './tables.ts';
import type { Tables } from './tables.ts';

const kinds: [string, () => Promise<Tables>][] = [
  ['memory', () => Promise.resolve(memoryTables({ now: () => 0 }))],
  ['DynamoDB', startTables],
];

describe.each(kinds)('the version of a configuration in %s', (_kind, start) => {
  let tables: Tables;
  let names = 0;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  /** The versions as two functions see them, the reads of one of which are counted, and somebody who changes. */
  function someFunctions() {
    const { client, config } = tables;
    const clock = aClock();
    let reads = 0;
    const read = makeBatchedRead(client, config);
    const counted = (key: Key) => {
      reads += 1;
      return read(key);
    };
    return {
      clock,
      of: `org_${(names += 1)}`,
      versions: makeVersions(counted, clock.now),
      other: makeVersions(read, clock.now),
      sayChanged: makeSayChanged(client, config),
      reads: () => reads,
    };
  }

  test('is seen by a function that knew the one before, half a second later', async () => {
    const { clock, of, versions, sayChanged } = someFunctions();
    expect(await versions.latest(of)).toBe(0);
    await sayChanged(of);
    clock.pass(499);
    expect(await versions.latest(of)).toBe(0);
    clock.pass(1);
    expect(await versions.latest(of)).toBe(1);
    expect(await versions.seen(of)).toBe(1);
  });

  test('is seen at once by who asks for what it is since a moment, and once for all who do', async () => {
    const { clock, of, versions, sayChanged, reads } = someFunctions();
    await versions.latest(of);
    clock.pass(10);
    await sayChanged(of);
    clock.pass(10);
    const sinceMs = clock.now();
    expect(await versions.latest(of, sinceMs)).toBe(1);
    expect(await versions.latest(of, sinceMs)).toBe(1);
    expect(reads()).toBe(2);
  });

  test('of one organization says nothing of another one', async () => {
    const { of, versions, sayChanged } = someFunctions();
    await sayChanged(`${of}0`);
    expect(await versions.latest(of)).toBe(0);
  });

  test('that was seen is not looked up again, however long ago it was', async () => {
    const { clock, of, versions, reads } = someFunctions();
    await versions.seen(of);
    clock.pass(86_400_000);
    await versions.seen(of);
    expect(reads()).toBe(1);
  });

  test('is one request in half a second, whatever is asked', async () => {
    const { clock, of, versions, reads } = someFunctions();
    for (let ms = 0; ms < 5_000; ms += 10) {
      await versions.latest(of);
      clock.pass(10);
    }
    expect(reads()).toBe(10);
  });

  test('that somebody else has seen is gone by at once, and looked at all the same', async () => {
    const { of, versions, other, sayChanged, reads } = someFunctions();
    versions.told(of, 0);
    expect(await versions.seen(of)).toBe(0);
    expect(reads()).toBe(0);
    await sayChanged(of);
    expect(await versions.latest(of)).toBe(1);
    versions.told(of, 0);
    expect(await versions.seen(of)).toBe(1);
    other.told(of, undefined);
    expect(await other.seen(of)).toBe(1);
  });

  test('is counted for each of two who change at once', async () => {
    const { of, other, sayChanged } = someFunctions();
    await Promise.all([sayChanged(of), sayChanged(of)]);
    expect(await other.latest(of)).toBe(2);
  });

  test('has what was remembered by the one before looked up anew, once', async () => {
    const { clock, of, versions, sayChanged } = someFunctions();
    let looks = 0;
    const look = (...ids: string[]) => Promise.resolve({ ids, looks: (looks += 1) });
    const remembered = byVersion(
      versions,
      cached(look, () => true, { now: clock.now }),
    );
    await remembered(of, 'ep_1');
    await remembered(of, 'ep_1');
    expect(looks).toBe(1);
    await sayChanged(of);
    clock.pass(500);
    expect((await remembered(of, 'ep_1')).looks).toBe(1);
    await versions.latest(of);
    expect((await remembered(of, 'ep_1')).looks).toBe(2);
    expect((await remembered(of, 'ep_1')).looks).toBe(2);
  });

  test('travels with items of another table in one request', async () => {
    const { client, config, ledger } = tables;
    const asked: string[][] = [];
    const counting = {
      send: async (command: { input: { RequestItems?: object } }) => {
        asked.push(Object.keys(command.input.RequestItems ?? {}));
        return client.send(command as never);
      },
    } as unknown as DynamoDBDocumentClient;
    const reads = makeBatchedReads(counting);
    const versions = makeVersions(reads(config), () => 0);
    const found = await Promise.all([
      reads(ledger)({ pk: 'nothing', sk: 'there' }),
      versions.latest('org_travels'),
    ]);
    expect(found).toEqual([undefined, 0]);
    expect(asked.map((tablesAsked) => tablesAsked.toSorted())).toEqual([[config, ledger].toSorted()]);
  });
});

test('a look that was slow does not undo what a later one has seen', async () => {
  const clock = aClock();
  const answers: ((item: Item) => void)[] = [];
  const versions = makeVersions(() => new Promise((resolve) => answers.push(resolve)), clock.now);
  const slow = versions.latest('org_1');
  clock.pass(1_000);
  const quick = versions.latest('org_1');
  answers[1]?.({ version: 7 });
  expect(await quick).toBe(7);
  answers[0]?.({ version: 6 });
  await slow;
  expect(await versions.seen('org_1')).toBe(7);
});

test('what is remembered is never older than its version: a change between the two looks is seen at the next', async () => {
  const { client, config } = memoryTables({ now: () => 0 });
  const clock = aClock();
  const sayChanged = makeSayChanged(client, config);
  const versions = makeVersions(makeBatchedRead(client, config), clock.now);
  let stored = 'before';
  const look = async () => {
    const found = { stored };
    // Somebody changes it while the look is on its way back.
    if (stored === 'before') {
      stored = 'after';
      await sayChanged('org_1');
    }
    return found;
  };
  const remembered = byVersion(
    versions,
    cached(look, () => true, { now: clock.now }),
  );
  expect((await remembered('org_1')).stored).toBe('before');
  clock.pass(500);
  await versions.latest('org_1');
  expect((await remembered('org_1')).stored).toBe('after');
});
