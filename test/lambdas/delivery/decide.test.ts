import { describe, expect, test } from 'vitest';
import { decide, isServed } from '../../../lambdas/delivery/decide.ts';
import type { Facts } from '../../../lambdas/delivery/decide.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { defaultPolicy } from '../../../lambdas/organization/policy.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anAttempt, aDead, aDelivered, aDelivery, aDiscarded } from '../../fakes/a-delivery.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';

/** The same message, received again. */
const again = (message: DeliveryMessage): DeliveryMessage => ({ ...message, again: true });
const dead = { at: isoTime(testStartMs), attempts: 10, lastError: 'http_500' };

function theFacts(given: Partial<Facts> = {}): Facts {
  return {
    organization: anOrganization(),
    endpoint: anEndpoint(),
    event: anEvent(),
    delivery: undefined,
    health: well,
    sentAtMs: testStartMs,
    nowMs: testStartMs,
    ...given,
  };
}

describe('a first message', () => {
  test('is attempted when nothing is recorded', () => {
    const [message, facts] = [aMessage(), theFacts()];
    const { organization, endpoint, event, delivery } = facts;
    const job = { message, organization, endpoint, policy: defaultPolicy, event, delivery };
    expect(decide(message, facts)).toEqual({ kind: 'attempt', job });
  });

  test('is attempted again when it died before anything was recorded', () => {
    expect(decide(again(aMessage()), theFacts()).kind).toBe('attempt');
  });
});

describe('whom nothing may be sent', () => {
  test.each([
    ['endpoint_deleted', { endpoint: undefined }],
    ['endpoint_deleted', { endpoint: undefined, organization: undefined }],
    ['not_entitled', { organization: undefined }],
    ['not_entitled', { organization: anOrganization({ plan: 'free' }) }],
    ['endpoint_disabled', { endpoint: anEndpoint({ active: false }) }],
    ['expired', { event: undefined }],
    ['unsubscribed', { endpoint: anEndpoint({ eventTypes: ['security.*'] }) }],
  ] as const)('%s: the delivery is discarded for that reason', (reason, facts) => {
    expect(decide(aMessage(), theFacts(facts))).toEqual({ kind: 'discard', message: aMessage(), reason });
  });

  test('a later attempt is discarded too, when the endpoint was disabled while it waited', () => {
    const facts = theFacts({ delivery: aDelivery(), endpoint: anEndpoint({ active: false }) });
    expect(decide(aMessage({ attempt: 2 }), facts).kind).toBe('discard');
  });

  test('what was asked for by hand is sent though the endpoint has unsubscribed', () => {
    const facts = theFacts({ endpoint: anEndpoint({ eventTypes: [] }), delivery: aDelivered() });
    expect(decide(aMessage({ round: 2, attempt: 2, trigger: 'manual' }), facts).kind).toBe('attempt');
  });

  test('an event whose type had no category when it was routed is not taken for unsubscribed', () => {
    const { category: _category, ...event } = anEvent();
    const facts = theFacts({ event, endpoint: anEndpoint({ eventTypes: [] }) });
    expect(decide(aMessage(), facts).kind).toBe('attempt');
    expect(_category).toBe('pipeline_execution');
  });
});

describe('a message of a running round', () => {
  test('is attempted when it is the next one', () => {
    const decision = decide(aMessage({ attempt: 2 }), theFacts({ delivery: aDelivery() }));
    expect(decision).toMatchObject({ kind: 'attempt', job: { message: { attempt: 2, round: 1 } } });
  });

  test('is attempted when it is the next one and came twice', () => {
    const facts = theFacts({ delivery: aDelivery() });
    expect(decide(again(aMessage({ attempt: 2 })), facts).kind).toBe('attempt');
  });

  test('is dropped when its attempt is recorded and it came once: a copy', () => {
    expect(decide(aMessage(), theFacts({ delivery: aDelivery() })).kind).toBe('drop');
  });

  test('sends what must follow when its attempt is recorded and it came again', () => {
    const delivery = aDelivery();
    const facts = theFacts({ delivery });
    expect(decide(again(aMessage()), facts)).toEqual({ kind: 'follow', delivery });
  });

  test('sends what must follow when that is overdue by more than a minute, even if it came once', () => {
    const delivery = aDelivery({ nextAttemptAt: isoTime(testStartMs) });
    const at = (nowMs: number) => decide(aMessage(), theFacts({ delivery, nowMs })).kind;
    expect(at(testStartMs + 60_000)).toBe('drop');
    expect(at(testStartMs + 60_001)).toBe('follow');
  });

  test('is dropped when later attempts are recorded, however late and often it comes', () => {
    const facts = theFacts({ delivery: aDelivery({ attemptCount: 3 }) });
    const late = { ...facts, nowMs: testStartMs + 86_400_000 };
    expect(decide(again(aMessage()), late).kind).toBe('drop');
    expect(decide(again(aMessage({ attempt: 2 })), late).kind).toBe('drop');
  });

  test('sends the dead message when the last attempt is recorded and it came again', () => {
    expect(decide(again(aMessage()), theFacts({ delivery: aDead() })).kind).toBe('follow');
  });

  test('is dropped when the last attempt is recorded and it came once', () => {
    expect(decide(aMessage(), theFacts({ delivery: aDead() })).kind).toBe('drop');
  });

  test.each([
    ['delivered', aDelivered()],
    ['discarded', aDiscarded({ attemptCount: 1 })],
  ])('is dropped when the delivery is %s, however often it comes', (_, delivery) => {
    for (const message of [aMessage(), aMessage({ attempt: 2 })]) {
      expect(decide(message, theFacts({ delivery })).kind).toBe('drop');
      expect(decide(again(message), theFacts({ delivery })).kind).toBe('drop');
    }
  });
});

describe('a message of another round', () => {
  const byHand = aMessage({ round: 2, attempt: 2, trigger: 'manual' });

  test.each([
    ['delivered', aDelivered()],
    ['retrying', aDelivery()],
    ['dead', aDead()],
    ['discarded', aDiscarded()],
  ])('opens its round though the delivery is %s', (_, delivery) => {
    const job = { message: { ...byHand, attempt: delivery.attemptCount + 1 }, delivery };
    expect(decide(byHand, theFacts({ delivery }))).toMatchObject({ kind: 'attempt', job });
  });

  test('counts on from what is recorded by then, not from when somebody asked', () => {
    const decision = decide(byHand, theFacts({ delivery: aDelivery({ attemptCount: 4 }) }));
    expect(decision).toMatchObject({ kind: 'attempt', job: { message: { attempt: 5, round: 2 } } });
  });

  test('that opened its round and died before it sent what follows, sends it when it comes again', () => {
    const delivery = aDelivery({ round: 2, roundStart: 4, attemptCount: 5 });
    expect(decide(again(byHand), theFacts({ delivery }))).toEqual({ kind: 'follow', delivery });
    expect(decide(byHand, theFacts({ delivery })).kind).toBe('drop');
  });

  test('is dropped when a later round has begun', () => {
    const facts = theFacts({ delivery: aDelivery({ round: 2, roundStart: 1, attemptCount: 2 }) });
    expect(decide(aMessage({ attempt: 2 }), facts).kind).toBe('drop');
    expect(decide(again(aMessage({ attempt: 3 })), facts).kind).toBe('drop');
  });
});

describe('a message that has opened its round', () => {
  const byHand = aMessage({ round: 2, attempt: 2, trigger: 'manual' });
  const opened = aDelivery({ round: 2, roundStart: 4, attemptCount: 5 });

  test('is dropped when it came once: asked for twice, made once', () => {
    expect(decide(byHand, theFacts({ delivery: opened })).kind).toBe('drop');
  });

  test('is dropped when its round has gone on', () => {
    const facts = theFacts({ delivery: { ...opened, attemptCount: 6 } });
    expect(decide(again(byHand), facts).kind).toBe('drop');
  });

  test('by a redrive and was held revives only what is still dead', () => {
    const held = aMessage({ round: 2, attempt: 5, trigger: 'redrive' });
    expect(decide(held, theFacts({ delivery: aDead({ attemptCount: 4 }) })).kind).toBe('attempt');
    expect(decide(held, theFacts({ delivery: aDelivered({ attemptCount: 4 }) })).kind).toBe('drop');
  });
});

describe('a dead message that has come back', () => {
  const redriven = aMessage({ attempt: 10, dead });
  const died = aDead({ attemptCount: 10 });

  test('opens a new round, counting on, and is dead no more', () => {
    const decision = decide(redriven, theFacts({ delivery: died }));
    const message = aMessage({ attempt: 11, round: 2, trigger: 'redrive' });
    expect(decision).toEqual({ kind: 'attempt', job: { ...jobOf(theFacts({ delivery: died })), message } });
  });

  test.each([
    ['is delivered', aDelivered({ round: 2, roundStart: 10, attemptCount: 11 })],
    ['is being tried again', aDelivery({ round: 2, roundStart: 10, attemptCount: 11 })],
    ['has died again', aDead({ round: 2, roundStart: 10, attemptCount: 20 })],
    ['was discarded', aDiscarded({ round: 2, roundStart: 10, attemptCount: 10 })],
    ['was delivered in its own round', aDelivered({ attemptCount: 10 })],
  ])('is dropped when the delivery %s', (_, delivery) => {
    expect(decide(redriven, theFacts({ delivery })).kind).toBe('drop');
  });

  test('that opened its round and died before it sent what follows, sends it when it comes again', () => {
    const delivery = aDelivery({ round: 2, roundStart: 10, attemptCount: 11 });
    expect(decide(again(redriven), theFacts({ delivery }))).toEqual({ kind: 'follow', delivery });
  });

  test('ends as expired when ledger and event have forgotten it', () => {
    const decision = decide(redriven, theFacts({ delivery: undefined, event: undefined }));
    expect(decision).toMatchObject({ kind: 'discard', reason: 'expired', message: { round: 2 } });
  });

  test('ends as discarded when the endpoint is gone', () => {
    const decision = decide(redriven, theFacts({ delivery: died, endpoint: undefined }));
    expect(decision).toMatchObject({ kind: 'discard', reason: 'endpoint_deleted', message: { round: 2 } });
  });
});

test('a recipient is served when the organization is entitled and the endpoint is there and active', () => {
  const [organization, endpoint] = [anOrganization(), anEndpoint()];
  expect(isServed({ organization, endpoint })).toBe(true);
  expect(isServed({ organization: undefined, endpoint })).toBe(false);
  expect(isServed({ organization: anOrganization({ plan: 'team' }), endpoint })).toBe(false);
  expect(isServed({ organization, endpoint: anEndpoint({ active: false }) })).toBe(false);
  expect(isServed({ organization, endpoint: undefined })).toBe(false);
});

describe('a message that fell without its mark, and is redriven', () => {
  const sentAtMs = testStartMs + 2 * 60_000;

  test('has what should have followed sent, though that is not due yet', () => {
    const delivery = aDelivery({ nextAttemptAt: isoTime(testStartMs + 3_600_000) });
    const facts = theFacts({ delivery, sentAtMs, nowMs: sentAtMs });
    expect(decide(aMessage(), facts)).toEqual({ kind: 'follow', delivery });
    expect(decide(aMessage(), { ...facts, sentAtMs: testStartMs })).toEqual({ kind: 'drop' });
  });

  test('gets its mark when its delivery is dead', () => {
    const delivery = aDead();
    expect(decide(aMessage(), theFacts({ delivery, sentAtMs, nowMs: sentAtMs }))).toEqual({
      kind: 'follow',
      delivery,
    });
  });
});

describe('what somebody has asked for', () => {
  const endpoint = anEndpoint({ eventTypes: [] });
  const asked = aMessage({ trigger: 'manual' });

  test('is sent whatever the subscription says by now, though it was never sent before', () => {
    expect(decide(asked, theFacts({ endpoint })).kind).toBe('attempt');
  });

  test('and is tried again as any other', () => {
    const delivery = aDelivery({ attempts: [anAttempt({ trigger: 'manual' })] });
    expect(decide(aMessage({ attempt: 2 }), theFacts({ endpoint, delivery })).kind).toBe('attempt');
    expect(decide(aMessage({ attempt: 2 }), theFacts({ endpoint, delivery: aDelivery() }))).toMatchObject({
      reason: 'unsubscribed',
    });
  });
});

function jobOf({ organization, endpoint, event, delivery }: Facts) {
  return { organization, endpoint, policy: defaultPolicy, event, delivery };
}
