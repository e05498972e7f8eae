import { describe, expect, it } from 'vitest';
import { manualClock } from '../../local/aws/clock.ts';
import type { Clock } from '../../local/aws/clock.ts';
import { runSchedules, startSchedules } from '../../local/schedules.ts';

const minuteMs = 60_000;
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:Tidings-${name}`;
const wake = arnOf('WaitingWake0123ABCD');
const tidy = arnOf('UpkeepTidyABCD0123');

/** Rules that call functions which only note when they were called, since `startMs`. */
function scheduled(clock: Clock = manualClock()) {
  const startMs = clock.now();
  const calls: [arn: string, atMs: number][] = [];
  const byArn = (arn: string) => ({
    invoke: () => {
      calls.push([arn, clock.now() - startMs]);
      return Promise.resolve();
    },
  });
  const schedules = [
    { arn: 'rule/wake', everyMs: minuteMs, functionArns: [wake] },
    { arn: 'rule/tidy', everyMs: 15 * minuteMs, functionArns: [tidy] },
  ];
  // @ts-expect-error Of a function only this is asked here.
  const functions: Parameters<typeof startSchedules>[0]['functions'] = { byArn };
  return { calls, rules: { schedules, functions, hops: { serviceInvokes: () => undefined } } };
}

describe('what rules call in time', () => {
  it('is called at each interval, and no more once it was ended', async () => {
    const clock = manualClock();
    const { calls, rules } = scheduled(clock);
    const end = startSchedules(rules, clock);
    await clock.advance(15 * minuteMs);
    const ofWake = calls.filter(([arn]) => arn === wake).map(([, atMs]) => atMs / minuteMs);
    expect(ofWake).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(calls.filter(([arn]) => arn === tidy)).toEqual([[tidy, 15 * minuteMs]]);
    await end();
    await clock.advance(60 * minuteMs);
    expect(calls).toHaveLength(16);
  });

  it('does not drift, though each timer fires late', async () => {
    const clock = manualClock();
    const { calls, rules } = scheduled(clock);
    startSchedules(rules, { ...clock, after: (ms, run) => clock.after(ms + 700, run) });
    await clock.advance(10 * minuteMs + 700);
    const ofWake = calls.filter(([arn]) => arn === wake).map(([, atMs]) => atMs - 700);
    expect(ofWake).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((turn) => turn * minuteMs));
  });

  it('is called once a turn, though a timer fires early', async () => {
    const clock = manualClock();
    const { calls, rules } = scheduled(clock);
    startSchedules(rules, { ...clock, after: (ms, run) => clock.after(ms - 1, run) });
    await clock.advance(10 * minuteMs);
    expect(calls.filter(([arn]) => arn === wake)).toHaveLength(10);
  });

  it('is called once after a machine has slept, and then at its turn', async () => {
    const clock = manualClock();
    const { calls, rules } = scheduled(clock);
    let sleptMs = 0;
    startSchedules(rules, { ...clock, now: () => clock.now() + sleptMs });
    sleptMs = 10.5 * minuteMs;
    await clock.advance(minuteMs);
    expect(calls).toEqual([[wake, minuteMs]]);
    await clock.advance(minuteMs / 2);
    expect(calls).toEqual([
      [wake, minuteMs],
      [wake, 1.5 * minuteMs],
    ]);
  });
});

describe('called by hand', () => {
  it('all of them are, once', async () => {
    const { calls, rules } = scheduled();
    await runSchedules(rules);
    expect(calls).toEqual([
      [wake, 0],
      [tidy, 0],
    ]);
  });

  it('one is, by its name', async () => {
    const { calls, rules } = scheduled();
    await runSchedules(rules, 'Wake');
    expect(calls).toEqual([[wake, 0]]);
  });

  it('what no rule calls is refused', async () => {
    const { calls, rules } = scheduled();
    await expect(runSchedules(rules, 'Sleep')).rejects.toThrow('No rule calls Sleep');
    expect(calls).toEqual([]);
  });
});
