import { describe, expect, test } from 'vitest';
import { candidatesOf, isIncluded, lackOf } from '../../../lambdas/recovery/candidates.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { behind, dueAt } from '../../../lambdas/shared/waiting.ts';
import { aDead, aDelivered, aDelivery, aDiscarded } from '../../fakes/a-delivery.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';

const minuteMs = 60_000;
const ids = {
  organizationId: 'org_1',
  endpointId: endpointIdOf('one'),
  eventId: anEvent().id,
  eventType: 'pipeline.run.failed',
};
/** Asked for two hours after the deliveries of these tests were written. */
const job = { createdAt: isoTime(testStartMs + 120 * minuteMs) };
const since = (minutes: number) => isoTime(testStartMs + (120 - minutes) * minuteMs);

const { nextAttemptAt: _none, ...waiting } = aDelivery();
const parked = { ...waiting, ...behind(ids.endpointId, ids.eventId, testStartMs - 5 * 24 * 60 * minuteMs) };
const waitingUntil = (minutes: number) =>
  aDelivery({
    nextAttemptAt: since(minutes),
    ...dueAt(Date.parse(since(minutes)), ids.endpointId, ids.eventId),
  });

const aged = (minutes: number) => ({ ...waitingUntil(minutes), updatedAt: since(minutes + 60) });

describe('lackOf', () => {
  test.each([
    ['delivered', aDelivered(), undefined],
    ['a test that was not taken', aDelivered({ status: 'failed' }), undefined],
    ['dead', aDead(), 'dead'],
    ['discarded for whatever reason', aDiscarded({ reason: 'unsubscribed' }), 'discarded'],
    ['retrying, its next attempt an hour late', aDelivery({ nextAttemptAt: since(61) }), 'missing'],
    ['retrying, its next attempt almost an hour late', aDelivery({ nextAttemptAt: since(60) }), undefined],
    ['retrying, its next attempt to come', aDelivery({ nextAttemptAt: since(-30) }), undefined],
    // As a row it is come for, however long that takes: sent again it would be a second message.
    ['waiting for its endpoint for days', parked, undefined],
    ['waiting until its time, a week ahead', waitingUntil(-10_000), undefined],
    ['waiting until its time, two hours ago', aged(120), undefined],
    ['waiting until its time, longer ago: both of its messages were lost', aged(121), 'missing'],
    ['dead since the job was asked for', aDead({ updatedAt: since(-1) }), undefined],
    ['dead at the very moment', aDead({ updatedAt: job.createdAt }), 'dead'],
  ] as const)('of a delivery that is %s', (_, delivery, lack) => {
    expect(lackOf({ ids, delivery }, job)).toBe(lack);
  });

  const meant = { skipReason: undefined, delivery: undefined };
  test.each([
    [
      'an event of more than an hour ago that was meant for it',
      { ...meant, receivedAt: since(61) },
      'missing',
    ],
    ['an event that may still be in a queue, held', { ...meant, receivedAt: since(60) }, undefined],
    ['an event that came after the job was asked for', { ...meant, receivedAt: since(-1) }, undefined],
    ['an event that passed it by', { ...meant, skipReason: 'gone', receivedAt: since(1) }, 'discarded'],
  ] as const)('of %s and has no delivery', (_, event, lack) => {
    expect(lackOf({ ids, ...event }, job)).toBe(lack);
  });
});

describe('a job that is to recover what there was no plan for', () => {
  const only = { include: ['not_entitled' as const] };
  const passed = { ids, delivery: undefined, receivedAt: since(60) };

  test.each([
    [
      'a delivery discarded for it',
      { ids, delivery: aDiscarded({ reason: 'not_entitled' }) },
      'discarded',
      true,
    ],
    [
      'one discarded for another reason',
      { ids, delivery: aDiscarded({ reason: 'gone' }) },
      'discarded',
      false,
    ],
    ['a dead one', { ids, delivery: aDead() }, 'dead', false],
    ['an event that passed by for it', { ...passed, skipReason: 'not_entitled' }, 'discarded', true],
    [
      'one that passed by for another reason',
      { ...passed, skipReason: 'endpoint_disabled' },
      'discarded',
      false,
    ],
    ['one of which there is nothing', { ...passed, skipReason: undefined }, 'missing', false],
  ] as const)('%s', (...[, candidate, lack, isWanted]) => {
    expect(isIncluded(only, candidate, lack)).toBe(isWanted);
    expect(isIncluded({ include: ['dead', 'discarded', 'missing'] }, candidate, lack)).toBe(true);
  });
});

describe('candidatesOf', () => {
  test('are the events that an endpoint wanted, refused ones never', () => {
    const own = anEvent({ name: 'own' });
    const refused = anEvent({ name: 'refused', status: 'refused', endpoints: [] });
    const others = anEvent({ name: 'others', endpoints: [endpointIdOf('two')] });
    const found = candidatesOf(endpointIdOf('one'), [own, refused, others], []);
    expect(found.map(({ ids }) => ids)).toEqual([{ ...ids, eventId: own.id }]);
  });
});
