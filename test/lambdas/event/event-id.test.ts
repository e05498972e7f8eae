import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventIdOf, eventIdsBetween } from '../../../lambdas/event/event-id.ts';
import { eventId } from '../../../lambdas/shared/identifier.ts';

const origin = { organizationId: 'org_1', timeMs: Date.UTC(2026, 10, 23, 10), busEventId: 'b-1' };

const anyOrigin = fc.record(
  {
    organizationId: fc.stringMatching(/^[A-Za-z0-9][\w-]{0,63}$/),
    timeMs: fc.integer({ min: 0, max: Date.UTC(3000, 0) }),
    idempotencyKey: fc.string({ minLength: 1, maxLength: 256 }),
    busEventId: fc.uuid(),
  },
  { requiredKeys: ['organizationId', 'timeMs', 'busEventId'] },
);

describe('eventIdOf', () => {
  it('the same event routed twice has the same id, and every id is one', () => {
    fc.assert(
      fc.property(anyOrigin, (one) => {
        expect(eventIdOf(one)).toBe(eventIdOf({ ...one }));
        expect(eventId.safeParse(eventIdOf(one)).success).toBe(true);
      }),
    );
  });

  it('ids sort by the time of the event', () => {
    fc.assert(
      fc.property(anyOrigin, anyOrigin, (one, other) => {
        fc.pre(one.timeMs < other.timeMs);
        expect(eventIdOf(one) < eventIdOf(other)).toBe(true);
      }),
    );
  });

  it('published again with its idempotency key an event keeps its id, though the bus gives a new one', () => {
    const keyed = { ...origin, idempotencyKey: 'run-77-failed' };
    expect(eventIdOf({ ...keyed, busEventId: 'b-2' })).toBe(eventIdOf(keyed));
  });

  it('without a key, two events on the bus are two events', () => {
    expect(eventIdOf({ ...origin, busEventId: 'b-2' })).not.toBe(eventIdOf(origin));
  });

  it.each([
    ['another key', { idempotencyKey: 'run-78-failed' }],
    ['another time', { timeMs: origin.timeMs + 1 }],
    ['another organization', { organizationId: 'org_2' }],
  ])('%s makes another event', (_what, change) => {
    const keyed = { ...origin, idempotencyKey: 'run-77-failed' };
    expect(eventIdOf({ ...keyed, ...change })).not.toBe(eventIdOf(keyed));
  });

  it('a key that looks like an id of the bus is not taken for one', () => {
    expect(eventIdOf({ ...origin, idempotencyKey: origin.busEventId })).not.toBe(eventIdOf(origin));
  });

  it('no organization can choose a key that makes another organization’s id', () => {
    fc.assert(
      fc.property(anyOrigin, anyOrigin, (one, other) => {
        fc.pre(one.organizationId !== other.organizationId);
        expect(eventIdOf(one)).not.toBe(eventIdOf({ ...other, timeMs: one.timeMs }));
      }),
    );
  });

  it('ids stay what they are: a release that changed them would send events twice', () => {
    expect(eventIdOf(origin)).toMatchInlineSnapshot(`"evt_01M83XJ880EG4NV6355V1YGHAZ"`);
    expect(eventIdOf({ ...origin, idempotencyKey: 'run-77-failed' })).toMatchInlineSnapshot(
      `"evt_01M83XJ880M9SG016SYEXTVQ4N"`,
    );
  });
});

describe('eventIdsBetween', () => {
  it('holds exactly the ids of events of the span, both its ends included', () => {
    const [sinceMs, untilMs] = [origin.timeMs, origin.timeMs + 1_000];
    const [least, greatest] = eventIdsBetween(sinceMs, untilMs);
    const isInside = (timeMs: number) => {
      const id = eventIdOf({ ...origin, timeMs });
      return least <= id && id <= greatest;
    };
    expect([sinceMs, sinceMs + 500, untilMs].map(isInside)).toEqual([true, true, true]);
    expect([sinceMs - 1, untilMs + 1].map(isInside)).toEqual([false, false]);
  });

  it('begins with the first event there can be when the span begins before 1970', () => {
    expect(eventIdsBetween(-1, 0)[0]).toBe(eventIdsBetween(0, 0)[0]);
  });
});
