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

describe('a look-up with a time and a clock of its own', () => {
  /** Remembers for five seconds by a clock that the test moves. */
  function aShortMemory() {
    let ownMs = 1_000;
    let looks = 0;
    const look = cached(
      () => Promise.resolve({ looks: (looks += 1) }),
      () => true,
      { ttlMs: 5_000, now: () => ownMs },
    );
    return { look, passOwn: (ms: number) => (ownMs += ms) };
  }

  it('is remembered for that time, to the millisecond', async () => {
    const { look, passOwn } = aShortMemory();
    await look('ep_1');
    passOwn(4_999);
    expect(await look('ep_1')).toEqual({ looks: 1 });
    passOwn(2);
    expect(await look('ep_1')).toEqual({ looks: 2 });
  });

  it('takes no notice of the process’s clock', async () => {
    const { look } = aShortMemory();
    await look('ep_1');
    pass(86_400_000);
    expect(await look('ep_1')).toEqual({ looks: 1 });
  });

  it('what is kept by hand is trusted as long as what was looked up', async () => {
    const { look, passOwn } = aShortMemory();
    look.keep({ looks: 77 }, 'ep_1');
    passOwn(4_999);
    expect(await look('ep_1')).toEqual({ looks: 77 });
    passOwn(2);
    expect(await look('ep_1')).toEqual({ looks: 1 });
  });
});

describe('what a caller has written', () => {
  it('is remembered without a look-up, under its own ids', async () => {
    const { look, looked } = aLookUp();
    look.keep({ ids: ['kept'], looks: 0 }, 'org_1', 'ep_1');
    expect(await look('org_1', 'ep_1')).toEqual({ ids: ['kept'], looks: 0 });
    expect(looked()).toBe(0);
    await look('org_1', 'ep_2');
    expect(looked()).toBe(1);
  });

  it('takes the place of what was remembered, and its time begins anew', async () => {
    const { look } = aLookUp();
    await look('org_1');
    pass(20_000);
    look.keep({ ids: ['kept'], looks: 0 }, 'org_1');
    pass(20_000);
    expect(await look('org_1')).toMatchObject({ ids: ['kept'] });
  });

  it('and forgets is looked up by the next one, and no other ids are', async () => {
    const { look, looked } = aLookUp();
    await Promise.all([look('org_1'), look('org_2')]);
    look.forget('org_1');
    await Promise.all([look('org_1'), look('org_2')]);
    expect(looked()).toBe(3);
  });

  it('may be forgotten though nothing was known of it', async () => {
    const { look } = aLookUp();
    look.forget('org_1');
    expect(await look('org_1')).toMatchObject({ looks: 1 });
  });
});

describe('while a look-up is under way', () => {
  /** A table whose answers come when the test says so. */
  function aSlowTable() {
    const waiting: ((answer: { told: string }) => void)[] = [];
    const look = cached(
      () => new Promise<{ told: string }>((resolve) => waiting.push(resolve)),
      () => true,
    );
    return {
      look,
      looked: () => waiting.length,
      tell: (told: string, index = 0) => waiting[index]?.({ told }),
    };
  }

  it('forgetting fails nobody who waits for it, and the old answer is not remembered', async () => {
    const { look, looked, tell } = aSlowTable();
    const asked = [look('ep_1'), look('ep_1')];
    look.forget('ep_1');
    tell('old');
    expect(await Promise.all(asked)).toEqual([{ told: 'old' }, { told: 'old' }]);
    const next = look('ep_1');
    expect(looked()).toBe(2);
    tell('new', 1);
    expect(await next).toEqual({ told: 'new' });
    expect(await look('ep_1')).toEqual({ told: 'new' });
  });

  it('who asks after the forgetting gets an answer of his own, not the one that was on its way', async () => {
    const { look, tell } = aSlowTable();
    const early = look('ep_1');
    look.forget('ep_1');
    const late = look('ep_1');
    tell('new', 1);
    tell('old', 0);
    expect(await early).toEqual({ told: 'old' });
    expect(await late).toEqual({ told: 'new' });
    expect(await look('ep_1')).toEqual({ told: 'new' });
  });

  it('what is written meanwhile is remembered, and the older answer is not', async () => {
    const { look, tell } = aSlowTable();
    const asked = look('ep_1');
    look.keep({ told: 'written' }, 'ep_1');
    tell('old');
    expect(await asked).toEqual({ told: 'old' });
    expect(await look('ep_1')).toEqual({ told: 'written' });
  });
});
