import { describe, expect, test } from 'vitest';
import { well } from '../../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../../lambdas/endpoint/health/health.ts';
import { remembered } from '../../../../lambdas/endpoint/health/remembered.ts';
import { aClock } from '../../../fakes/clock.ts';
import { memoryHealth } from '../../../fakes/health.ts';

const failing: Health = { ...well, failures: 1 };

/** Two functions, each with a memory of its own, over one table whose reads are counted. */
function twoFunctions() {
  const clock = aClock();
  const store = memoryHealth(clock.now);
  const reads: string[] = [];
  const counted = {
    ...store,
    read: (id: string) => {
      reads.push(id);
      return store.read(id);
    },
  };
  const [one, other] = [remembered(counted, { now: clock.now }), remembered(counted, { now: clock.now })];
  return { clock, store, counted, reads, one, other };
}

describe('health that is remembered', () => {
  test('is read once in five seconds', async () => {
    const { clock, one, reads } = twoFunctions();
    await Promise.all([one.read('ep_1'), one.read('ep_1')]);
    clock.pass(4_999);
    await one.read('ep_1');
    expect(reads).toHaveLength(1);
    clock.pass(2);
    await one.read('ep_1');
    expect(reads).toHaveLength(2);
  });

  test('tells within five seconds what another function has written', async () => {
    const { clock, one, other } = twoFunctions();
    await one.read('ep_1');
    await other.replace('ep_1', well, failing);
    expect(await one.read('ep_1')).toEqual(well);
    clock.pass(5_001);
    expect(await one.read('ep_1')).toEqual({ ...failing, version: 1 });
  });

  test('tells at once what this function has written, in the version that can be written over', async () => {
    const { one, reads } = twoFunctions();
    const before = await one.read('ep_1');
    expect(await one.replace('ep_1', before, failing)).toBe(true);
    const written = await one.read('ep_1');
    expect(written).toEqual({ ...failing, version: 1 });
    expect(await one.replace('ep_1', written, well)).toBe(true);
    expect(reads).toHaveLength(1);
  });

  test('tells at once what this function has read as the latest', async () => {
    const { one, other } = twoFunctions();
    await one.read('ep_1');
    await other.replace('ep_1', well, failing);
    await one.readLatest('ep_1');
    expect(await one.read('ep_1')).toEqual({ ...failing, version: 1 });
  });

  test('is looked up again when somebody has been faster', async () => {
    const { one, other } = twoFunctions();
    const before = await one.read('ep_1');
    await other.replace('ep_1', well, failing);
    expect(await one.replace('ep_1', before, { ...well, failures: 9 })).toBe(false);
    expect(await one.read('ep_1')).toEqual({ ...failing, version: 1 });
  });

  test('is looked up again when the answer to a write was lost, since it may have been made', async () => {
    const { clock, store, counted } = twoFunctions();
    const replace = async (...args: Parameters<typeof store.replace>): Promise<boolean> => {
      await store.replace(...args);
      throw new Error('timed out');
    };
    const one = remembered({ ...counted, replace }, { now: clock.now });
    await one.read('ep_1');
    await expect(one.replace('ep_1', well, failing)).rejects.toThrow('timed out');
    expect(await one.read('ep_1')).toEqual({ ...failing, version: 1 });
  });

  test('is remembered for every endpoint by itself', async () => {
    const { one } = twoFunctions();
    await one.replace('ep_1', well, failing);
    expect(await one.read('ep_2')).toEqual(well);
  });
});
