import type { Attempt } from '../../lambdas/delivery/attempt-record.ts';
import type { Delivery } from '../../lambdas/delivery/delivery.ts';
import { expiryOf, isoTime } from '../../lambdas/shared/time.ts';
import { testStartMs } from './clock.ts';
import { endpointIdOf, eventIdOf } from './ids.ts';

/** An attempt of the first round that met a 500. */
export function anAttempt(given: Partial<Attempt> = {}): Attempt {
  return {
    number: 1,
    round: 1,
    trigger: 'scheduled',
    at: isoTime(testStartMs),
    durationMs: 12,
    outcome: 'retry',
    code: 'http_500',
    statusCode: 500,
    ...given,
  };
}

const common = {
  organizationId: 'org_1',
  endpointId: endpointIdOf('one'),
  eventId: eventIdOf('one'),
  eventType: 'pipeline.run.failed',
  round: 1,
  roundStart: 0,
  attemptCount: 1,
  updatedAt: isoTime(testStartMs),
  expiresAt: expiryOf(testStartMs, 30),
};

/** The delivery of the event `one` to the endpoint `one` after a first attempt that met a 500; its next message is sent. */
export function aDelivery(given: Partial<Delivery> = {}): Delivery {
  return {
    ...common,
    status: 'retrying',
    attempts: [anAttempt()],
    lastError: 'http_500',
    nextAttemptAt: isoTime(testStartMs + 5_000),
    owes: 'nothing',
    ...given,
  };
}

/** The same, delivered at once. */
export function aDelivered(given: Partial<Delivery> = {}): Delivery {
  const at = isoTime(testStartMs);
  const how = { number: 1, round: 1, trigger: 'scheduled', outcome: 'delivered' } as const;
  const attempts = [{ ...how, at, durationMs: 12, statusCode: 200 }];
  return { ...common, status: 'delivered', attempts, ...given };
}

/** The same, dead: its attempts are used up. */
export function aDead(given: Partial<Delivery> = {}): Delivery {
  const attempts = [anAttempt({ outcome: 'dead' })];
  return { ...common, status: 'dead', attempts, lastError: 'http_500', owes: 'nothing', ...given };
}

/** The same, deliberately not made. */
export function aDiscarded(given: Partial<Delivery> = {}): Delivery {
  return {
    ...common,
    status: 'discarded',
    reason: 'endpoint_disabled',
    attempts: [],
    attemptCount: 0,
    ...given,
  };
}
