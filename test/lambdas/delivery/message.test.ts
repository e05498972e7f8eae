import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { delayUntil, outgoing, readMessage } from '../../../lambdas/delivery/message.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { testStartMs } from '../../fakes/clock.ts';

describe('the delay of a message', () => {
  test.each([
    ['a moment that has passed', -60_000, 0],
    ['now', 0, 0],
    ['a millisecond ahead', 1, 1],
    ['five seconds ahead', 5_000, 5],
    ['a little more than five seconds ahead', 5_001, 6],
    ['as much as SQS delays', 900_000, 900],
    ['35 hours ahead', 126_000_000, 900],
  ])('%s', (_, aheadMs, expected) => {
    expect(delayUntil(testStartMs + aheadMs, testStartMs)).toBe(expected);
  });

  test('is what SQS takes, and whoever waits by messages alone comes to his end without coming early', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 200_000_000 }), (waitMs) => {
        const notBeforeMs = testStartMs + waitMs;
        let nowMs = testStartMs;
        for (let hops = 0; nowMs < notBeforeMs; hops += 1) {
          const seconds = delayUntil(notBeforeMs, nowMs);
          expect(Number.isInteger(seconds) && seconds > 0 && seconds <= 900).toBe(true);
          expect(hops).toBeLessThan(300);
          nowMs += seconds * 1000;
        }
        expect(nowMs - notBeforeMs).toBeLessThan(1_000);
      }),
    );
  });
});

describe('a message in a queue', () => {
  /** As they lay in queues when a deploy came: never change these, add to them. */
  const stored = [
    '{"v":1,"organizationId":"org_1","endpointId":"ep_01KAQ40000ABCDEFGHJKMNPQRS","eventId":"evt_01KAQ40000ABCDEFGHJKMNPQRS","eventType":"pipeline.run.failed","attempt":1,"round":1,"trigger":"scheduled"}',
    '{"v":1,"organizationId":"org_1","endpointId":"ep_01KAQ40000ABCDEFGHJKMNPQRS","eventId":"evt_01KAQ40000ABCDEFGHJKMNPQRS","eventType":"pipeline.run.failed","round":1,"lastError":"http_500","attempt":2,"notBefore":"2026-11-23T10:00:05.000Z","trigger":"scheduled"}',
    '{"v":1,"organizationId":"org_1","endpointId":"ep_01KAQ40000ABCDEFGHJKMNPQRS","eventId":"evt_01KAQ40000ABCDEFGHJKMNPQRS","eventType":"pipeline.run.failed","round":1,"attempt":1,"trigger":"scheduled","pass":3,"putOff":2}',
    '{"v":1,"organizationId":"org_1","endpointId":"ep_01KAQ40000ABCDEFGHJKMNPQRS","eventId":"evt_01KAQ40000ABCDEFGHJKMNPQRS","eventType":"pipeline.run.failed","round":1,"attempt":2,"trigger":"scheduled","putOff":1,"outcome":{"made":{"number":2,"round":1,"trigger":"scheduled","at":"2026-11-23T10:00:05.000Z","durationMs":12,"outcome":"retry","code":"http_500","statusCode":500},"nextAttemptAt":"2026-11-23T10:00:30.000Z"}}',
    '{"v":1,"organizationId":"org_1","endpointId":"ep_01KAQ40000ABCDEFGHJKMNPQRS","eventId":"evt_01KAQ40000ABCDEFGHJKMNPQRS","eventType":"pipeline.run.failed","round":2,"lastError":"timeout","attempt":10,"trigger":"scheduled","dead":{"at":"2026-11-24T21:00:00.000Z","attempts":10,"lastError":"timeout"}}',
  ];

  test.each(stored)('is read after a deploy as before it: %s', (text) => {
    expect(readMessage(text)).toEqual(JSON.parse(text));
  });

  test.each([
    ['that it was received before', { again: true }],
    ['that its time is a slot of its pace', { notBefore: '2026-11-23T10:00:05.000Z', paced: true }],
  ])('of the version before is read, though that said %s', (_, said) => {
    const { again: _again, paced: _paced, ...kept } = { again: undefined, paced: undefined, ...said };
    expect(readMessage(JSON.stringify({ ...aMessage(), ...said }))).toEqual({ ...aMessage(), ...kept });
  });

  test('is read though a newer version has added a field', () => {
    expect(readMessage(JSON.stringify({ ...aMessage(), somethingNew: true }))).toEqual(aMessage());
  });

  test.each([
    ['not JSON', 'Hello'],
    ['nothing', ''],
    ['another thing', '[]'],
    ['an unknown version', JSON.stringify({ ...aMessage(), v: 2 })],
    ['no endpoint', JSON.stringify({ ...aMessage(), endpointId: undefined })],
    ['an id that is none', JSON.stringify({ ...aMessage(), eventId: 'evt_.' })],
    ['attempt 0', JSON.stringify({ ...aMessage(), attempt: 0 })],
    ['a time that is none', JSON.stringify({ ...aMessage(), notBefore: 'soon' })],
  ])('is poisonous when it is %s', (_, body) => {
    expect(readMessage(body)).toBeUndefined();
  });

  test('goes out in the group of its endpoint', () => {
    const message = aMessage();
    const { groupId, body } = outgoing(message, 5);
    expect(groupId).toBe(message.endpointId);
    expect(readMessage(body)).toEqual(message);
  });
});
