import { describe, expect, test } from 'vitest';
import { decide, isServed } from '../../../lambdas/delivery/decide.ts';
import type { Facts } from '../../../lambdas/delivery/decide.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { defaultPolicy } from '../../../lambdas/organization/policy.ts';
import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { behind, dueAt } from '../../../lambdas/shared/waiting.ts';
import { anAttempt, aDead, aDelivered, aDelivery, aDiscarded } from '../../fakes/a-delivery.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';

const dead = { at: isoTime(testStartMs), attempts: 10, lastError: 'http_500' };

function theFacts(given: Partial<Facts> = {}): Facts {
  return {
    organization: anOrganization(),
    endpoint: anEndpoint(),
    event: anEvent(),
    delivery: undefined,
    health: well,
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

  test('is dropped when its attempt is recorded and nothing is owed: a copy', () => {
    for (const delivery of [aDelivery({ owes: 'nothing' }), aDead({ owes: 'nothing' })]) {
      expect(decide(aMessage(), theFacts({ delivery })).kind).toBe('drop');
    }
  });

  test.each([
    ['the next message', aDelivery({ owes: 'message' })],
    ['the dead letter', aDead({ owes: 'letter' })],
  ])('sends what is owed when its attempt is recorded: %s', (_, delivery) => {
    expect(decide(aMessage(), theFacts({ delivery }))).toEqual({ kind: 'follow', delivery });
  });

  test.each([
    ['the next message', aDelivery()],
    ['the dead letter', aDead()],
  ])('sends %s once more for a record of the version before, which does not say what it owes', (_, said) => {
    const { owes, ...delivery } = said;
    expect(decide(aMessage(), theFacts({ delivery }))).toEqual({ kind: 'follow', delivery });
  });

  test.each([
    ['is deleted', { endpoint: undefined }],
    ['is disabled', { endpoint: anEndpoint({ active: false }) }],
    ['may have nothing', { organization: undefined }],
    ['is switched off', { health: { ...well, off: { at: isoTime(testStartMs), reason: 'gone' as const } } }],
  ])('sends what is owed though the endpoint %s by then', (_, facts) => {
    const delivery = aDead({ owes: 'letter' });
    expect(decide(aMessage(), theFacts({ delivery, ...facts })).kind).toBe('follow');
  });

  test('is attempted when the attempt before is recorded, whatever that owes: it is what was owed', () => {
    const facts = theFacts({ delivery: aDelivery({ owes: 'message' }) });
    expect(decide(aMessage({ attempt: 2 }), facts).kind).toBe('attempt');
  });

  test('is dropped when later attempts are recorded, whatever is owed', () => {
    const facts = theFacts({ delivery: aDelivery({ attemptCount: 3, owes: 'message' }) });
    expect(decide(aMessage(), facts).kind).toBe('drop');
    expect(decide(aMessage({ attempt: 2 }), facts).kind).toBe('drop');
  });

  test.each([
    ['delivered', aDelivered()],
    ['discarded', aDiscarded({ attemptCount: 1 })],
  ])('is dropped when the delivery is %s', (_, delivery) => {
    for (const message of [aMessage(), aMessage({ attempt: 2 })]) {
      expect(decide(message, theFacts({ delivery })).kind).toBe('drop');
    }
  });
});

describe('a delivery that waits for its endpoint as a row', () => {
  const place = behind(aMessage().endpointId, aMessage().eventId, testStartMs);
  const parked = aDelivery({ ...place, attemptCount: 0, attempts: [] });

  test('goes on by the message that brings it back', () => {
    const decision = decide(aMessage({ pass: 1 }), theFacts({ delivery: parked }));
    expect(decision).toMatchObject({ kind: 'attempt', job: { message: { attempt: 1, pass: 1 } } });
  });

  test('waits on when any other message comes: a copy, whose function may have died before it said so', () => {
    expect(decide(aMessage(), theFacts({ delivery: parked })).kind).toBe('waits');
  });

  test('is attempted for the reason for which somebody had asked for it', () => {
    const delivery: Delivery = { ...parked, round: 2, roundStart: 1, attemptCount: 1, trigger: 'manual' };
    const decision = decide(aMessage({ pass: 1, round: 2, attempt: 2 }), theFacts({ delivery }));
    expect(decision).toMatchObject({ kind: 'attempt', job: { message: { attempt: 2, trigger: 'manual' } } });
  });

  test('is discarded by any message that brings it back, once nobody may have it', () => {
    const facts = theFacts({ delivery: parked, endpoint: undefined });
    expect(decide(aMessage({ pass: 1 }), facts)).toMatchObject({
      kind: 'discard',
      reason: 'endpoint_deleted',
    });
  });

  test('gives way to a round that somebody opens', () => {
    const byHand = aMessage({ round: 2, attempt: 1, trigger: 'manual' });
    expect(decide(byHand, theFacts({ delivery: parked })).kind).toBe('attempt');
  });

  test('until a time goes on by a plain message: nobody else brings that', () => {
    const delivery = aDelivery(dueAt(testStartMs, aMessage().endpointId, aMessage().eventId));
    expect(decide(aMessage({ attempt: 2 }), theFacts({ delivery })).kind).toBe('attempt');
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
    const delivery = aDelivery({ round: 2, roundStart: 4, attemptCount: 5, owes: 'message' });
    expect(decide(byHand, theFacts({ delivery }))).toEqual({ kind: 'follow', delivery });
    const paid = theFacts({ delivery: { ...delivery, owes: 'nothing' } });
    expect(decide(byHand, paid).kind).toBe('drop');
  });

  test('is dropped when a later round has begun', () => {
    const facts = theFacts({ delivery: aDelivery({ round: 2, roundStart: 1, attemptCount: 2 }) });
    expect(decide(aMessage({ attempt: 2 }), facts).kind).toBe('drop');
    expect(decide(aMessage({ attempt: 3 }), facts).kind).toBe('drop');
  });
});

describe('a message that has opened its round', () => {
  const byHand = aMessage({ round: 2, attempt: 2, trigger: 'manual' });
  const opened = aDelivery({ round: 2, roundStart: 4, attemptCount: 5 });

  test('is dropped: asked for twice, made once', () => {
    expect(decide(byHand, theFacts({ delivery: { ...opened, owes: 'nothing' } })).kind).toBe('drop');
  });

  test('is dropped when its round has gone on', () => {
    const facts = theFacts({ delivery: { ...opened, attemptCount: 6, owes: 'message' } });
    expect(decide(byHand, facts).kind).toBe('drop');
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
    ['is being tried again', aDelivery({ round: 2, roundStart: 10, attemptCount: 11, owes: 'nothing' })],
    ['has died again', aDead({ round: 2, roundStart: 10, attemptCount: 20 })],
    ['was discarded', aDiscarded({ round: 2, roundStart: 10, attemptCount: 10 })],
    ['was delivered in its own round', aDelivered({ attemptCount: 10 })],
  ])('is dropped when the delivery %s', (_, delivery) => {
    expect(decide(redriven, theFacts({ delivery })).kind).toBe('drop');
  });

  test('that opened its round and died before it sent what follows, sends it when it comes again', () => {
    const delivery = aDelivery({ round: 2, roundStart: 10, attemptCount: 11, owes: 'message' });
    expect(decide(redriven, theFacts({ delivery }))).toEqual({ kind: 'follow', delivery });
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
