import { expect, it } from 'vitest';
import { burstMs, withinPace } from '../../../../../lambdas/endpoint/health/pace.ts';
import { makeTake } from '../../../../../lambdas/endpoint/health/pace/store.ts';
import { aClock } from '../../../../fakes/clock.ts';
import { memoryTables } from '../../../../fakes/table/memory-tables.ts';
import type { ObservedRequest } from '../../../../fakes/table/units.ts';

/** Functions that share a table, each with a memory of its own. */
function someFunctions(count: number) {
  const clock = aClock();
  const requests: ObservedRequest[] = [];
  const { client, ledger } = memoryTables({ now: clock.now, observe: (one) => requests.push(one) });
  const takes = Array.from({ length: count }, () => makeTake(client, ledger, clock.now));
  /** All of them ask at once for ten; the answer is how many go. */
  const askAll = async (perSecond: number): Promise<number> => {
    const answers = await Promise.all(
      takes.flatMap((take) => Array.from({ length: 10 }, () => take('ep_one', perSecond))),
    );
    return answers.filter((isLet) => isLet).length;
  };
  return { clock, takes, requests, askAll };
}

it('many functions that ask at once get all that the pace allows', async () => {
  const { clock, askAll } = someFunctions(60);
  const perSecond = 600;
  await askAll(perSecond);
  let got = 0;
  for (let second = 0; second < 20; second += 1) {
    clock.pass(1_000);
    got += await askAll(perSecond);
  }
  const allowed = 20 * perSecond * withinPace;
  expect(got).toBeGreaterThanOrEqual(Math.floor(allowed));
  expect(got).toBeLessThanOrEqual(allowed + (burstMs / 1_000) * perSecond);
});

it('a function that asks for many at once makes one write of it', async () => {
  const { clock, requests, askAll } = someFunctions(1);
  await askAll(100);
  clock.pass(500);
  const before = requests.length;
  expect(await askAll(100)).toBe(10);
  expect(requests.slice(before).map(({ operation }) => operation)).toEqual(['UpdateItem']);
});

it('of a slow pace, leave that is asked for late by less than it takes is not lost, and ten minutes get no more', async () => {
  const perSecond = 0.2;
  const { clock, takes } = someFunctions(1);
  const grantedMs: number[] = [];
  // Each comes four seconds too late or too early, in turns.
  for (let at = 1; at < 400; at += 1) {
    clock.pass(at % 2 === 0 ? 1_100 : 9_100);
    if ((await takes[0]?.('ep_one', perSecond)) === true) grantedMs.push(clock.now());
  }
  const counts = grantedMs.map(
    (fromMs) => grantedMs.filter((ms) => ms >= fromMs && ms < fromMs + 600_000).length,
  );
  expect(Math.max(...counts)).toBeLessThanOrEqual(perSecond * 600);
  expect(Math.max(...counts)).toBeGreaterThanOrEqual(0.95 * perSecond * 600);
});

it('after a time without any, no more than the burst goes at once', async () => {
  const { clock, askAll } = someFunctions(40);
  await askAll(100);
  for (const idleMs of [3_500, 60_000, 86_400_000]) {
    clock.pass(idleMs);
    const got = await askAll(100);
    expect(got).toBeLessThanOrEqual((burstMs / 1_000) * 100 + 1);
    expect(got).toBeGreaterThanOrEqual((burstMs / 1_000) * 100 * withinPace);
  }
});

it('what is refused costs no request while the time that was read has not come', async () => {
  const { requests, takes, askAll } = someFunctions(1);
  while ((await askAll(5)) > 0);
  const before = requests.length;
  expect(await takes[0]?.('ep_one', 5)).toBe(false);
  expect(requests.slice(before)).toEqual([]);
});

it('an endpoint of one attempt in a while gets each of them', async () => {
  const { clock, takes } = someFunctions(2);
  for (let number = 0; number < 20; number += 1) {
    clock.pass(10_200);
    expect(await takes[number % 2]?.('ep_one', 0.1)).toBe(true);
    expect(await takes[(number + 1) % 2]?.('ep_one', 0.1)).toBe(false);
  }
});
