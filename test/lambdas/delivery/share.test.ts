import { describe, expect, test } from 'vitest';
import { slowMs } from '../../../lambdas/endpoint/health/slow.ts';
import { makeShare } from '../../../lambdas/delivery/share.ts';
import type { Took } from '../../../lambdas/delivery/share.ts';
import { aClock } from '../../fakes/clock.ts';

const quick = { durationMs: 40, wasSlow: false };
const slow = { durationMs: slowMs, wasSlow: true };
const hung = { durationMs: 15_000, wasSlow: true };

/** A share, and what became of so many who asked to enter: `let`, `refused`, or `waits` while that is open. */
function aShare() {
  const clock = aClock();
  const share = makeShare(clock.now);
  const asked: ('let' | 'refused' | 'waits')[] = [];
  const ask = (count: number, endpointId = 'ep_1') => {
    for (let index = 0; index < count; index += 1) {
      const place = asked.push('waits') - 1;
      void share.enter(endpointId).then((isLet) => {
        asked[place] = isLet ? 'let' : 'refused';
      });
    }
  };
  /** What is known of them when nothing more happens by itself. */
  const answers = async (): Promise<Record<string, number>> => {
    await new Promise(setImmediate);
    return Object.fromEntries([...Map.groupBy(asked, (one) => one)].map(([name, all]) => [name, all.length]));
  };
  return { ...share, clock, ask, answers };
}

describe('an endpoint of which nothing is known', () => {
  test('may hold three attempts at once, and the others wait for their answers', async () => {
    const { ask, answers } = aShare();
    ask(10);
    expect(await answers()).toEqual({ let: 3, waits: 7 });
  });

  test('may hold twice as many with each quick answer', async () => {
    const { ask, answers, exit } = aShare();
    ask(20);
    exit('ep_1', quick);
    // Six at once, of whom one has left.
    expect(await answers()).toEqual({ let: 7, waits: 13 });
    exit('ep_1', quick);
    expect(await answers()).toEqual({ let: 14, waits: 6 });
    exit('ep_1', quick);
    expect(await answers()).toEqual({ let: 20 });
  });

  test('takes nothing from another one', async () => {
    const { ask, answers } = aShare();
    ask(3, 'ep_1');
    ask(3, 'ep_2');
    expect(await answers()).toEqual({ let: 6 });
  });
});

describe('an endpoint that does not answer', () => {
  test('has who waits for it sent away as soon as all of its attempts are slow', async () => {
    const share = aShare();
    share.ask(10);
    share.markSlow('ep_1');
    share.markSlow('ep_1');
    expect(await share.answers()).toEqual({ let: 3, waits: 7 });
    share.markSlow('ep_1');
    expect(await share.answers()).toEqual({ let: 3, refused: 7 });
  });

  test('has whoever comes later sent away at once', async () => {
    const share = aShare();
    share.ask(3);
    for (let count = 0; count < 3; count += 1) share.markSlow('ep_1');
    share.ask(5);
    expect(await share.answers()).toEqual({ let: 3, refused: 5 });
  });

  test('may hold three again when it has answered slowly, however many it held before', async () => {
    const share = aShare();
    share.ask(3);
    for (let index = 0; index < 3; index += 1) share.exit('ep_1', quick);
    share.ask(24);
    expect(await share.answers()).toEqual({ let: 27 });
    share.clock.pass(slowMs);
    for (let index = 0; index < 22; index += 1) {
      share.markSlow('ep_1');
      share.exit('ep_1', hung);
    }
    share.ask(2);
    // Two are still under way.
    expect(await share.answers()).toEqual({ let: 28, waits: 1 });
  });

  test('and then answers one of those under way lets the next one in', async () => {
    const share = aShare();
    share.ask(3);
    share.markSlow('ep_1');
    share.ask(1);
    share.exit('ep_1', hung);
    expect(await share.answers()).toEqual({ let: 4 });
  });

  test('hangs unless a quick answer has come since', () => {
    const share = aShare();
    share.ask(3);
    share.clock.pass(slowMs);
    expect(share.markSlow('ep_1')).toBe(true);
    share.exit('ep_1', { durationMs: slowMs - 1, wasSlow: false });
    expect(share.markSlow('ep_1')).toBe(false);
  });

  test('does not hang when of ten that began together one takes its time', () => {
    const share = aShare();
    share.ask(3);
    share.clock.pass(50);
    share.exit('ep_1', { durationMs: 50, wasSlow: false });
    share.clock.pass(slowMs - 50);
    expect(share.markSlow('ep_1')).toBe(false);
  });

  test('leaves nothing behind when its attempt ends by a fault of ours', async () => {
    const share = aShare();
    share.ask(3);
    for (let count = 0; count < 3; count += 1) share.markSlow('ep_1');
    for (let count = 0; count < 3; count += 1) share.exit('ep_1', { durationMs: undefined, wasSlow: true });
    share.ask(4);
    expect(await share.answers()).toEqual({ let: 6, waits: 1 });
  });
});

describe('how long an attempt takes', () => {
  /** The mean after each of so many attempts, one after the other. */
  async function means(took: readonly Took[], isHeld = false) {
    const { enter, exit } = makeShare(aClock().now);
    const all: (number | undefined)[] = [];
    for (const one of took) {
      await enter('ep_1', isHeld);
      all.push(exit('ep_1', one));
    }
    return all;
  }

  test('is not known of fewer than twenty answers', async () => {
    const all = await means(Array<Took>(20).fill(slow));
    expect(all.slice(0, 19)).toEqual(Array(19).fill(undefined));
    expect(all[19]).toBe(slowMs);
  });

  test('is less than half a second though every tenth answer takes two seconds', async () => {
    const took = Array.from({ length: 1_000 }, (_, at) =>
      at % 10 === 0 ? { durationMs: 2_000, wasSlow: true } : quick,
    );
    expect(Math.max(...(await means(took)).map((mean) => mean ?? 0))).toBeLessThan(slowMs);
  });

  test('is more than half a second after fifty answers that take seven tenths, whatever was before', async () => {
    const took = [
      ...Array<Took>(500).fill(quick),
      ...Array<Took>(60).fill({ durationMs: 700, wasSlow: true }),
    ];
    const all = await means(took);
    expect(all[499]).toBeCloseTo(40);
    expect(all.at(-1)).toBeGreaterThanOrEqual(slowMs);
  });

  test('is known of each answer while it is held, and what was before is forgotten then', async () => {
    expect(await means([hung], true)).toEqual([15_000]);
    const { enter, exit } = makeShare(aClock().now);
    for (let count = 0; count < 50; count += 1) {
      await enter('ep_1');
      exit('ep_1', quick);
    }
    await enter('ep_1', true);
    expect(exit('ep_1', hung)).toBe(15_000);
  });
});

describe('a place', () => {
  test('that was given back without an attempt lets the next one in, and teaches nothing', async () => {
    const { ask, answers, exit } = aShare();
    ask(5);
    exit('ep_1');
    expect(await answers()).toEqual({ let: 4, waits: 1 });
  });

  test('is kept while its attempt is under way, however long', async () => {
    const { ask, answers, clock } = aShare();
    ask(3);
    clock.pass(600_000);
    ask(1);
    expect(await answers()).toEqual({ let: 3, waits: 1 });
  });
});

test('an endpoint that was quiet for a minute begins with three again', async () => {
  const { ask, answers, exit, clock } = aShare();
  ask(3);
  for (let index = 0; index < 3; index += 1) exit('ep_1', quick);
  clock.pass(59_999);
  ask(10);
  expect(await answers()).toEqual({ let: 13 });
  for (let index = 0; index < 10; index += 1) exit('ep_1');
  clock.pass(60_000);
  ask(10);
  expect(await answers()).toEqual({ let: 16, waits: 7 });
});

test('nobody is let in more often than he asked, whatever the order of things', async () => {
  const { ask, answers, exit, ...share } = aShare();
  ask(50);
  let left = 0;
  for (const took of [quick, slow, quick, undefined, slow, quick, quick]) {
    if (took?.wasSlow === true) share.markSlow('ep_1');
    exit('ep_1', took);
    left += 1;
    const { let: inside = 0 } = await answers();
    expect(inside - left).toBeGreaterThanOrEqual(0);
    expect(inside).toBeLessThanOrEqual(50);
  }
});
