import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cached } from '../../../lambdas/shared/cache.ts';

let nowMs = 1;

beforeEach(() => {
  // lru-cache holds on to the process's own `performance`, and reads it again a millisecond after it last did.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function pass(ms: number): void {
  nowMs += ms;
  vi.advanceTimersByTime(ms);
}

/** Counts its look-ups, and answers each with the ids and the count. */
function aLookUp(isWorthKeeping = true) {
  let looks = 0;
  const look = cached(
    (...ids) => Promise.resolve({ ids, looks: (looks += 1) }),
    () => isWorthKeeping,
  );
  return { look, looked: () => looks };
}

describe('cached', () => {
  it('what was looked up is remembered for 30 seconds, and a change is seen after them', async () => {
    const { look } = aLookUp();
    await look('org_1');
    pass(29_900);
    expect(await look('org_1')).toMatchObject({ looks: 1 });
    pass(200);
    expect(await look('org_1')).toMatchObject({ looks: 2 });
  });

  it('look-ups of the same ids at the same time are one', async () => {
    const { look, looked } = aLookUp();
    await Promise.all([look('org_1', 'ep_1'), look('org_1', 'ep_1'), look('org_1', 'ep_1')]);
    expect(looked()).toBe(1);
  });

  it('other ids are another look-up, and each gets its own answer', async () => {
    const { look } = aLookUp();
    expect(await look('org_1', 'ep_1')).toMatchObject({ ids: ['org_1', 'ep_1'] });
    expect(await look('org_1', 'ep_2')).toMatchObject({ ids: ['org_1', 'ep_2'] });
    expect(await look('org_1', 'ep_1')).toMatchObject({ ids: ['org_1', 'ep_1'] });
  });

  it('a look-up without ids is remembered, too', async () => {
    const { look, looked } = aLookUp();
    await look();
    await look();
    expect(looked()).toBe(1);
  });

  it('what does not exist is asked for again, as it may be made in the next second', async () => {
    const { look, looked } = aLookUp(false);
    await look('org_1');
    await look('org_1');
    expect(looked()).toBe(2);
  });

  it('a failed look-up rises and is not remembered', async () => {
    let isAway = true;
    const look = cached(
      () => (isAway ? Promise.reject(new Error('the table is away')) : Promise.resolve({})),
      () => true,
    );
    await expect(look('org_1')).rejects.toThrow('the table is away');
    isAway = false;
    await expect(look('org_1')).resolves.toEqual({});
  });
});
