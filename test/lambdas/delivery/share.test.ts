import { describe, expect, test } from 'vitest';
import { slowMs } from '../../../lambdas/endpoint/health/slow.ts';
import { makeShare } from '../../../lambdas/delivery/share.ts';
import { aClock } from '../../fakes/clock.ts';

const quickMs = 40;

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
    const { ask, answers, leave } = aShare();
    ask(20);
    leave('ep_1', quickMs);
    // Six at once, of whom one has left.
    expect(await answers()).toEqual({ let: 7, waits: 13 });
    leave('ep_1', quickMs);
    expect(await answers()).toEqual({ let: 14, waits: 6 });
    leave('ep_1', quickMs);
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
  test('has who waits for it sent away as soon as the first attempt is slow', async () => {
    const { ask, answers, slow } = aShare();
    ask(10);
    slow('ep_1', 15_000);
    expect(await answers()).toEqual({ let: 3, refused: 7 });
  });

  test('has whoever comes later sent away at once', async () => {
    const { ask, answers, slow } = aShare();
    ask(3);
    slow('ep_1', 15_000);
    ask(5);
    expect(await answers()).toEqual({ let: 3, refused: 5 });
  });

  test('may hold three again when it has answered slowly, however many it held before', async () => {
    const { ask, answers, leave, slow } = aShare();
    ask(3);
    for (let index = 0; index < 3; index += 1) leave('ep_1', quickMs);
    ask(24);
    expect(await answers()).toEqual({ let: 27 });
    slow('ep_1', 15_000);
    leave('ep_1', 30_000);
    ask(1);
    // Twenty-three are still under way.
    expect(await answers()).toEqual({ let: 27, waits: 1 });
    for (let index = 0; index < 20; index += 1) leave('ep_1', slowMs);
    expect(await answers()).toEqual({ let: 27, waits: 1 });
    leave('ep_1', slowMs);
    expect(await answers()).toEqual({ let: 28 });
  });

  test('lets in one for each that leaves, quick answers of others notwithstanding', async () => {
    const { ask, answers, leave, slow } = aShare();
    ask(3);
    slow('ep_1', 15_000);
    ask(1);
    leave('ep_1', 30_000);
    ask(1);
    expect(await answers()).toEqual({ let: 4, refused: 1 });
  });
});

describe('a place', () => {
  test('that was given back without an attempt lets the next one in, and teaches nothing', async () => {
    const { ask, answers, leave } = aShare();
    ask(5);
    leave('ep_1');
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
  const { ask, answers, leave, clock } = aShare();
  ask(3);
  for (let index = 0; index < 3; index += 1) leave('ep_1', quickMs);
  clock.pass(59_999);
  ask(10);
  expect(await answers()).toEqual({ let: 13 });
  for (let index = 0; index < 10; index += 1) leave('ep_1');
  clock.pass(60_000);
  ask(10);
  expect(await answers()).toEqual({ let: 16, waits: 7 });
});

test('nobody is let in more often than he asked, whatever the order of things', async () => {
  const { ask, answers, leave, slow } = aShare();
  ask(50);
  let left = 0;
  for (const durationMs of [quickMs, slowMs, quickMs, undefined, slowMs, quickMs, quickMs]) {
    if (durationMs === slowMs) slow('ep_1', 15_000);
    leave('ep_1', durationMs);
    left += 1;
    const { let: inside = 0 } = await answers();
    expect(inside - left).toBeGreaterThanOrEqual(0);
    expect(inside).toBeLessThanOrEqual(50);
  }
});
