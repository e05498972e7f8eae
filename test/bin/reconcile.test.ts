import { describe, expect, it } from 'vitest';
import { parseFlags } from '../../bin/reconcile/flags.ts';
import { reportOf } from '../../bin/reconcile/report.ts';
import { aTally } from '../../lambdas/recovery/reconcile/tally.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { testStartMs } from '../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../fakes/ids.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const flagsOf = (...args: string[]) => parseFlags(args, testStartMs);

describe('npm run reconcile', () => {
  it('looks at the last day until 15 minutes ago, at all organizations of the local stack, unless told otherwise', () => {
    const until = testStartMs - 15 * minuteMs;
    expect(flagsOf()).toEqual({ span: { since: isoTime(until - dayMs), until: isoTime(until) } });
  });

  it('takes every flag', () => {
    const span = ['--since', '2026-11-01', '--until=2026-11-02T12:00:00+02:00'];
    const rest = ['--organization', 'org_1', '--config', 'c', '--ledger', 'l'];
    expect(flagsOf(...span, ...rest)).toEqual({
      span: { since: '2026-11-01T00:00:00.000Z', until: '2026-11-02T10:00:00.000Z' },
      organizationId: 'org_1',
      tables: { config: 'c', ledger: 'l' },
    });
  });

  it('looks at the day before a moment', () => {
    expect(flagsOf('--until', '2026-11-02').span.since).toBe('2026-11-01T00:00:00.000Z');
  });

  it.each([
    [['--since', 'yesterday'], '--since'],
    // Without an offset it would be another moment on another machine.
    [['--until', '2026-11-23T10:00'], '--until'],
    [['--since', '2026-11-02', '--until', '2026-11-01'], '--since 2026-11-02T00:00:00.000Z must be before'],
    [['--since', '2026-12-24'], 'must be before --until'],
    [['--organization', 'no spaces'], '--organization'],
    [['--config', 'c'], '--ledger'],
    [['--ledger', 'l'], '--config'],
    [['--config', '', '--ledger', ''], '--config'],
    [['--unknown'], '--unknown'],
    [['more'], 'more'],
  ])('refuses %j and names what is wrong', (args, said) => {
    expect(() => flagsOf(...args)).toThrow(said);
  });
});

describe('the report', () => {
  const span = { since: isoTime(0), until: isoTime(testStartMs) };
  const finding = {
    organizationId: 'org_1',
    endpointId: endpointIdOf('one'),
    eventId: eventIdOf('one'),
    kind: 'missing' as const,
  };

  it('says that nothing is missing', () => {
    const tally = aTally();
    tally.count('deliveries', 12);
    tally.count('delivered', 12);
    const report = reportOf(span, tally.result(true));
    expect(report).toContain('Nothing is missing.');
    expect(report).toMatch(/ {2}delivered +12\n/);
    expect(report).not.toContain('endpoint');
  });

  it('names each finding in a row, how many more there are, and what to do', () => {
    const tally = aTally();
    for (let index = 0; index < 1_001; index += 1) tally.find(finding);
    tally.find({ ...finding, kind: 'overdue' });
    const report = reportOf(span, tally.result(true));
    expect(report).toContain(`missing   org_1         ${finding.endpointId}  ${finding.eventId}\n`);
    expect(report).toContain('and 2 more');
    expect(report).toContain('/recover');
    expect(report).not.toContain('What is unrouted');
  });

  it('names an event of which nobody knows for whom it is', () => {
    const tally = aTally();
    tally.find({ organizationId: 'org_1', eventId: finding.eventId, kind: 'unrouted' });
    const report = reportOf(span, tally.result(true));
    expect(report).toMatch(new RegExp(`unrouted {2}org_1 +${finding.eventId}\n`));
    expect(report).toMatch(/unrouted +1\n/);
    expect(report).toContain('What is unrouted');
    expect(report).not.toContain('Nothing is missing');
    expect(report).not.toContain('/recover');
  });
});
