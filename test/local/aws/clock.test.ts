import { expect, test } from 'vitest';

import { manualClock, skewedClock } from '../../../local/aws/clock.ts';

test('a manual clock runs what falls due in the order of time, and what that starts in turn', async () => {
  const clock = manualClock(0);
  const seen: string[] = [];
  clock.after(20, () => seen.push(`late at ${clock.now()}`));
  clock.after(10, () => {
    seen.push(`early at ${clock.now()}`);
    clock.after(5, () => seen.push(`between at ${clock.now()}`));
  });
  await clock.advance(30);
  expect(seen).toEqual(['early at 10', 'between at 15', 'late at 20']);
  expect(clock.now()).toBe(30);
});

test('a cancelled wait never runs', async () => {
  const clock = manualClock(0);
  let runs = 0;
  const cancel = clock.after(10, () => runs++);
  cancel();
  await clock.advance(20);
  expect(runs).toBe(0);
});

test('a skewed clock shows a later time and waits as long as its base', async () => {
  const base = manualClock(0);
  const clock = skewedClock(base);
  let isRung = false;
  clock.after(1000, () => (isRung = true));
  clock.skew(5000);
  expect(clock.now()).toBe(5000);
  await base.advance(999);
  expect(isRung).toBe(false);
  await base.advance(1);
  expect(isRung).toBe(true);
});
