import { describe, expect, test } from 'vitest';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import { resumed, well } from '../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../lambdas/endpoint/health/health.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../../fakes/ids.ts';
import { aScene, deadLetters, settle } from './a-scene.ts';
import type { Scene } from './a-scene.ts';

const secondMs = 1_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const breaker = { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 60, maximumPauseSeconds: 600 };
const often = { initialBackoffSeconds: 1, multiplier: 1, maximumAttempts: 30 };
const endpointId = endpointIdOf('one');

/** An endpoint that is paused by its second failure in a row, and whose deliveries have many attempts. */
const fragile = anEndpoint({ policy: { circuitBreaker: breaker, disableAfterHours: null, retry: often } });

describe('while an endpoint is paused', () => {
  test('its deliveries wait without an attempt, and come back after the pause, each at its own time', async () => {
    const scene = await aScene();
    const untilMs = await pause(scene, 10 * minuteMs);
    await many(scene, 20);
    await work(scene, untilMs - 1);
    expect(scene.receiver.requests).toEqual([]);
    const times = scene.queue.waiting().map(({ body }) => Date.parse(readMessage(body)?.notBefore ?? ''));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(untilMs);
    expect(Math.max(...times)).toBeLessThanOrEqual(untilMs + 2.5 * minuteMs);
    expect(new Set(times).size).toBe(20);
    await work(scene);
    expect(await attemptsOf(scene, 20)).toEqual(Array(20).fill(['delivered', 1]));
  });

  test('nothing is read of an event that waits for it', async () => {
    const scene = await aScene();
    await pause(scene, 10 * minuteMs);
    await many(scene, 3);
    await work(scene, testStartMs + 9 * minuteMs);
    expect(new Set(scene.calls.map(({ port }) => port))).toEqual(
      new Set(['readRecipient', 'readHealth', 'send']),
    );
  });

  test('a retry by hand and a redriven dead letter wait, too, and are made then', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.receiver.answers(500, 200);
    await many(scene, 1);
    await work(scene);
    scene.clock.pass(hourMs);
    const untilMs = await pause(scene, 20 * minuteMs);
    scene.queue.redrive();
    await work(scene);
    expect(await attemptsOf(scene, 1)).toEqual([['delivered', 2]]);
    expect(scene.receiver.requests[1]?.atMs).toBeGreaterThanOrEqual(untilMs);
    const againMs = await pause(scene, 20 * minuteMs);
    scene.receiver.always(200);
    const byHand = { round: 3, attempt: 3, trigger: 'manual' as const, eventId: eventIdOf('event-0') };
    await scene.sendMessage(aMessage(byHand));
    await work(scene);
    expect(await attemptsOf(scene, 1)).toEqual([['delivered', 3]]);
    expect(scene.receiver.requests[2]?.atMs).toBeGreaterThanOrEqual(againMs);
  });

  test.each([
    ['endpoint_disabled', anEndpoint({ active: false }), anOrganization()],
    ['not_entitled', anEndpoint(), anOrganization({ plan: 'free' })],
  ])('%s: what nobody may have ends at once', async (reason, endpoint, organization) => {
    const scene = await aScene();
    await pause(scene, 10 * minuteMs);
    scene.configuration.set(endpoint);
    scene.configuration.setOrganization(organization);
    await scene.start();
    await scene.step();
    expect(await scene.delivery()).toMatchObject({ status: 'discarded', reason, attemptCount: 0 });
  });
});

describe('the breaker', () => {
  test('pauses the whole endpoint when it keeps failing, and people are told once', async () => {
    const scene = await aScene({ endpoint: fragile });
    scene.receiver.always(500);
    await many(scene, 2);
    await work(scene);
    const [first, second, third] = scene.receiver.requests.map(({ atMs }) => atMs - testStartMs);
    expect([first, second].every((atMs) => (atMs ?? 0) < secondMs)).toBe(true);
    expect(third).toBeGreaterThanOrEqual(minuteMs);
    expect(toldOf(scene, 'endpoint.paused')).toEqual([
      expect.objectContaining({ endpointId, organizationId: 'org_1', reason: 'failures' }),
    ]);
  });

  test('lets one probe of many workers through, and all others wait for what it meets', async () => {
    const scene = await aScene({ endpoint: fragile });
    await pause(scene, 0);
    await many(scene, 30);
    await Promise.all([1, 2, 3].map(() => scene.invoke(scene.queue.receive())));
    expect(scene.receiver.requests).toHaveLength(1);
    await work(scene, testStartMs + 2 * secondMs - 1);
    expect(scene.receiver.requests).toHaveLength(1);
    // The probe was answered at once, so they do not wait for the end of its lease.
    await work(scene, testStartMs + 20 * secondMs);
    expect(await attemptsOf(scene, 30)).toEqual(Array(30).fill(['delivered', 1]));
    expect(toldOf(scene, 'endpoint.resumed')).toHaveLength(1);
  });

  test('doubles the pause when the probe fails, and sends one request a pause (I10)', async () => {
    const scene = await aScene({ endpoint: fragile });
    await pause(scene, 0);
    scene.receiver.always(500);
    await many(scene, 20);
    await work(scene, testStartMs + 50 * minuteMs);
    const gaps = gapsOf(scene);
    const pauses = [120, 240, 480, 600, 600];
    expect(gaps.length).toBeGreaterThanOrEqual(pauses.length - 1);
    for (const [index, gapMs] of gaps.entries()) {
      const pauseMs = (pauses[index] ?? 600) * secondMs;
      expect(gapMs).toBeGreaterThanOrEqual(pauseMs);
      // What waits comes back within a quarter of the pause; whose time that is, is left to chance.
      expect(gapMs).toBeLessThanOrEqual(1.5 * pauseMs);
    }
    expect(scene.announced.map(({ detailType }) => detailType)).toEqual([]);
  });

  test('sends another probe after a minute when the function of the first one dies', async () => {
    let deaths = 1;
    const scene = await aScene({
      endpoint: fragile,
      fateOf: ({ port }) => (port === 'post' && deaths-- > 0 ? 'crash before' : undefined),
    });
    await pause(scene, 0);
    await many(scene, 3);
    await Promise.all([1, 2, 3].map(() => scene.invoke(scene.queue.receive(1))));
    expect(scene.receiver.requests).toEqual([]);
    await work(scene);
    const [probe, next] = scene.receiver.requests.map(({ atMs }) => atMs);
    expect(probe).toBeGreaterThanOrEqual(testStartMs + minuteMs);
    expect(probe).toBeLessThanOrEqual(testStartMs + 80 * secondMs);
    expect(next).toBeGreaterThan(probe ?? 0);
    expect(await attemptsOf(scene, 3)).toEqual(Array(3).fill(['delivered', 1]));
  });

  test('spends no attempt of what waits: a pause of hours kills nothing', async () => {
    const retry = { ...often, maximumAttempts: 3 };
    const scene = await aScene({ endpoint: anEndpoint({ policy: { circuitBreaker: breaker, retry } }) });
    await pause(scene, 0);
    scene.receiver.answers(500, 500, 200);
    await scene.start();
    await many(scene, 5);
    await work(scene, testStartMs + 3 * minuteMs);
    expect(scene.receiver.requests.length).toBeLessThanOrEqual(2);
    scene.receiver.always(200);
    await work(scene);
    expect((await scene.delivery()).status).toBe('delivered');
    expect((await attemptsOf(scene, 5)).every(([status]) => status === 'delivered')).toBe(true);
    expect(scene.queue.dead).toEqual([]);
  });

  test('that is turned off never keeps a delivery back', async () => {
    const policy = { circuitBreaker: null, disableAfterHours: null, retry: often };
    const scene = await aScene({ endpoint: anEndpoint({ policy }) });
    scene.receiver.always(500);
    await scene.start();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(30);
    expect(Math.max(...gapsOf(scene))).toBeLessThanOrEqual(2_100);
    expect(scene.journal.lines.filter(({ message }) => message === 'delivery.waits')).toEqual([]);
  });

  test('is closed by a person: fresh deliveries go at once, and what has waited comes within one hop', async () => {
    const scene = await aScene({ endpoint: fragile });
    await pause(scene, 24 * hourMs);
    await many(scene, 5);
    await work(scene, testStartMs + minuteMs);
    const before = await scene.health.readLatest(endpointId);
    await scene.health.replace(endpointId, before, resumed(before, scene.clock.now()));
    await scene.start();
    await scene.step();
    expect((await scene.delivery()).status).toBe('delivered');
    await work(scene, testStartMs + 18 * minuteMs);
    expect(await attemptsOf(scene, 5)).toEqual(Array(5).fill(['delivered', 1]));
  });
});

describe('after a pause', () => {
  test('what has waited is let go at a pace that doubles every half minute', async () => {
    const scene = await aScene({ tookMs: 1 });
    await set(scene, { backSince: isoTime(testStartMs) });
    await many(scene, 400);
    await work(scene);
    expect(await attemptsOf(scene, 400)).toEqual(Array(400).fill(['delivered', 1]));
    // All four hundred have asked for their slot at the pace of the first moment.
    expectPace(scene, 10);
    const last = Math.max(...scene.receiver.requests.map(({ atMs }) => atMs));
    expect(last - testStartMs).toBeLessThanOrEqual(45 * secondMs);
  });

  test('what comes later is let go faster', async () => {
    const scene = await aScene({ tookMs: 1 });
    await set(scene, { backSince: isoTime(testStartMs) });
    scene.clock.pass(90 * secondMs);
    await many(scene, 400);
    await work(scene);
    expectPace(scene, 80);
    const last = Math.max(...scene.receiver.requests.map(({ atMs }) => atMs));
    expect(last - testStartMs - 90 * secondMs).toBeLessThanOrEqual(7 * secondMs);
  });

  test('five minutes later nothing is held back any more', async () => {
    const scene = await aScene({ tookMs: 1 });
    await set(scene, { backSince: isoTime(testStartMs - 5 * minuteMs) });
    await many(scene, 100);
    await work(scene);
    expect(scene.queue.sent).toHaveLength(100);
    expect(scene.calls.filter(({ port }) => port === 'reserve')).toEqual([]);
  });
});

describe('a limit of attempts a second', () => {
  test.each([
    [20, 400],
    [2, 60],
    [0.05, 8],
  ])('of %d holds over every window (I9), and all are delivered', async (rateLimitPerSecond, count) => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { rateLimitPerSecond } }), tookMs: 1 });
    await many(scene, count);
    await work(scene);
    expect(await attemptsOf(scene, count)).toEqual(Array(count).fill(['delivered', 1]));
    expectPace(scene, rateLimitPerSecond);
  });

  test('holds for retries and fresh deliveries together', async () => {
    const retry = { ...often, maximumAttempts: 3 };
    const policy = { rateLimitPerSecond: 5, retry, circuitBreaker: null };
    const scene = await aScene({ endpoint: anEndpoint({ policy }), tookMs: 1 });
    scene.receiver.always(500);
    await many(scene, 60);
    await work(scene);
    expect(scene.receiver.requests).toHaveLength(180);
    expectPace(scene, 5);
  });

  test('lets more than a line of 15 minutes come back later, with all attempts unspent', async () => {
    const policy = { rateLimitPerSecond: 0.1 };
    const scene = await aScene({ endpoint: anEndpoint({ policy }), tookMs: 1 });
    await many(scene, 200);
    await work(scene);
    expect(await attemptsOf(scene, 200)).toEqual(Array(200).fill(['delivered', 1]));
    expectPace(scene, 0.1);
  });

  test('holds when all that had their slots were held up for ten minutes', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { rateLimitPerSecond: 2 } }), tookMs: 1 });
    await many(scene, 60);
    for (let batch = 0; batch < 6; batch += 1) await scene.invoke(scene.queue.receive());
    scene.clock.pass(10 * minuteMs);
    await work(scene);
    expect(scene.receiver.requests).toHaveLength(60);
    expectPace(scene, 2);
  });

  test('holds while workers ask for slots at the same time', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { rateLimitPerSecond: 5 } }), tookMs: 1 });
    await many(scene, 50);
    await Promise.all([1, 2, 3, 4, 5].map(() => scene.invoke(scene.queue.receive())));
    await work(scene);
    expect(scene.receiver.requests).toHaveLength(50);
    expectPace(scene, 5);
  });
});

describe('a receiver that asks for patience', () => {
  test('gets nothing of any delivery until then, and then one probe', async () => {
    const scene = await aScene({ endpoint: fragile });
    scene.receiver.answers({ kind: 'response', status: 429, retryAfter: '600' }, 200);
    await scene.start();
    await scene.step();
    scene.receiver.always(200);
    await many(scene, 20);
    await work(scene, testStartMs + 10 * minuteMs);
    expect(scene.receiver.requests).toHaveLength(1);
    expect(toldOf(scene, 'endpoint.paused')).toEqual([expect.objectContaining({ reason: 'retry_after' })]);
    await work(scene);
    const [, probe, next] = scene.receiver.requests.map(({ atMs }) => atMs);
    expect((next ?? 0) - (probe ?? 0)).toBeGreaterThan(0);
    expect(await attemptsOf(scene, 20)).toEqual(Array(20).fill(['delivered', 1]));
    expect((await scene.delivery()).attemptCount).toBe(2);
  });
});

describe('an endpoint that is switched off', () => {
  test('by a 410 receives nothing more: what waits ends as gone, and people are told', async () => {
    const scene = await aScene({ endpoint: fragile });
    scene.receiver.answers(410);
    await pause(scene, 0);
    await many(scene, 10);
    await scene.invoke(scene.queue.receive());
    await work(scene);
    await scene.start();
    await work(scene);
    const ends = await Promise.all(
      names(10).map(async (name) => (await deliveryOf(scene, name))?.reason ?? 'dead'),
    );
    expect(ends.toSorted()).toEqual(['dead', ...Array<string>(9).fill('gone')]);
    expect(await scene.delivery()).toMatchObject({ status: 'discarded', reason: 'gone', attemptCount: 0 });
    expect(scene.receiver.requests).toHaveLength(1);
    expect(toldOf(scene, 'endpoint.disabled')).toEqual([expect.objectContaining({ reason: 'gone' })]);
  });

  test('after nothing but failure receives nothing more: what waits ends as endpoint_disabled', async () => {
    const policy = { circuitBreaker: breaker, disableAfterHours: 2, retry: often };
    const scene = await aScene({ endpoint: anEndpoint({ policy }) });
    scene.receiver.always(500);
    await many(scene, 5);
    await work(scene);
    const ends = await Promise.all(names(5).map(async (name) => (await deliveryOf(scene, name))?.reason));
    expect(ends).toEqual(Array(5).fill('endpoint_disabled'));
    expect(scene.clock.now() - testStartMs).toBeGreaterThanOrEqual(2 * hourMs);
    const told = ['paused', 'failing', 'failing', 'disabled'].map((kind) => `endpoint.${kind}`);
    expect(scene.announced.map(({ detailType }) => detailType)).toEqual(told);
    expect(scene.queue.dead).toEqual([]);
  });

  test('also ends what is redriven, with the reason', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.receiver.answers(500);
    await scene.start();
    await settle(scene);
    scene.clock.pass(hourMs);
    await set(scene, { off: { at: scene.clock.iso(), reason: 'gone' } });
    scene.queue.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'discarded', reason: 'gone', round: 2 });
    expect(scene.receiver.requests).toHaveLength(1);
  });
});

describe('a receiver that takes long', () => {
  test('is known to do so before it has answered', async () => {
    const scene = await aScene({
      tookMs: 15_000,
      fateOf: ({ port }) => (port === 'record' ? 'crash before' : undefined),
    });
    await many(scene, 1);
    await scene.invoke(scene.queue.receive(1));
    const health = await scene.health.readLatest(endpointId);
    expect(health.failures).toBe(0);
    expect(health.slowUntil).toBe(isoTime(testStartMs + 15_000 + 5 * minuteMs));
  });

  test('has its fresh deliveries in the lane of retries, without an attempt', async () => {
    const scene = await aScene({ tookMs: 3_000 });
    await many(scene, 3);
    await scene.invoke(scene.queue.receive(1));
    expect(scene.receiver.requests).toHaveLength(1);
    await scene.invoke(scene.queue.receive());
    expect(scene.receiver.requests).toHaveLength(1);
    const moved = scene.queue.sent.slice(3);
    expect(moved.map(({ delaySeconds }) => delaySeconds)).toEqual([0, 0]);
    await scene.invoke(scene.queue.receive());
    expect(scene.receiver.requests).toHaveLength(3);
    expect(scene.queue.sent).toHaveLength(5);
    expect(await attemptsOf(scene, 3)).toEqual(Array(3).fill(['delivered', 1]));
  });

  test('has them back in their own lane five minutes after it was last slow', async () => {
    const scene = await aScene();
    await set(scene, { slowUntil: isoTime(testStartMs + 5 * minuteMs) });
    scene.clock.pass(5 * minuteMs);
    await scene.start();
    await scene.step();
    expect((await scene.delivery()).status).toBe('delivered');
    expect(scene.queue.sent).toHaveLength(1);
  });

  test('has a redriven dead letter delivered, too', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.receiver.answers(500, 200);
    await scene.start();
    await settle(scene);
    scene.clock.pass(hourMs);
    await set(scene, { slowUntil: isoTime(scene.clock.now() + 5 * minuteMs) });
    scene.queue.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2 });
  });
});

describe('a fault of ours with the health', () => {
  const paced = { rateLimitPerSecond: 0.01 };

  test.each([
    ['readHealth', anEndpoint(), well],
    ['replaceHealth', anEndpoint(), pausedUntil(testStartMs)],
    ['reserve', anEndpoint({ policy: paced }), well],
  ] as const)(
    'in %s holds for about a minute, posts nothing and spends no attempt',
    async (port, endpoint, health) => {
      const scene = await aScene({ endpoint });
      await set(scene, health);
      scene.settings.fateOf = (call) => (call.port === port ? 'fault before' : undefined);
      await scene.start();
      for (let hold = 0; hold < 20; hold += 1) {
        await scene.step();
        expect(scene.queue.sent.at(-1)?.delaySeconds).toBeGreaterThanOrEqual(48);
        expect(scene.queue.sent.at(-1)?.delaySeconds).toBeLessThanOrEqual(72);
      }
      expect(scene.receiver.requests).toEqual([]);
      expect(scene.journal.lines).toContainEqual({
        message: 'delivery.held',
        fields: expect.objectContaining({ code: 'ledger_unavailable' }) as unknown,
      });
      scene.settings.fateOf = () => undefined;
      await settle(scene);
      expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
    },
  );

  test('after an attempt keeps no delivery from its end, and a later attempt tells the same', async () => {
    const scene = await aScene({
      endpoint: fragile,
      fateOf: ({ port }) => (port === 'replaceHealth' ? 'fault before' : undefined),
    });
    scene.receiver.answers(500, 500, 500, 200);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 4 });
    expect(scene.journal.lines).toContainEqual({
      message: 'health.unnoted',
      fields: expect.objectContaining({ endpointId, fault: 'ThrottlingException' }) as unknown,
    });
    expect(await scene.health.readLatest(endpointId)).toEqual(well);
  });

  test('is none when what was remembered is old: the attempt is noted over what is there', async () => {
    const scene = await aScene({ endpoint: fragile });
    await set(scene, {
      failures: 1,
      failingSince: isoTime(testStartMs),
      lastFailureAt: isoTime(testStartMs),
    });
    scene.health.read = () => Promise.resolve(well);
    scene.receiver.answers(500);
    await scene.start();
    await scene.step();
    expect(await scene.health.readLatest(endpointId)).toMatchObject({ failures: 2, pause: { seconds: 60 } });
  });

  test('that others are faster each time is no fault, and no delivery is the worse for it', async () => {
    const scene = await aScene({ endpoint: fragile });
    scene.health.replace = () => Promise.resolve(false);
    scene.receiver.answers(500, 200);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
  });
});

describe('what people must know', () => {
  const unsaid = [{ kind: 'paused' as const, at: isoTime(testStartMs), reason: 'failures' }];

  test('and a function that died has left unsaid is said by the next one that delivers', async () => {
    const scene = await aScene();
    await set(scene, { unsaid, sayAfter: isoTime(testStartMs) });
    await scene.start();
    await settle(scene);
    expect(toldOf(scene, 'endpoint.paused')).toEqual([
      { organizationId: 'org_1', endpointId, at: isoTime(testStartMs), reason: 'failures' },
    ]);
    expect((await scene.health.readLatest(endpointId)).unsaid).toEqual([]);
  });

  test('and another function is just saying is left to that one', async () => {
    const scene = await aScene();
    await set(scene, { unsaid, sayAfter: isoTime(testStartMs + minuteMs) });
    await scene.start();
    await settle(scene);
    expect(scene.announced).toEqual([]);
    expect((await scene.delivery()).status).toBe('delivered');
  });

  test('is kept while the bus takes nothing, and no delivery waits for it', async () => {
    const scene = await aScene({ fateOf: ({ port }) => (port === 'announce' ? 'fault before' : undefined) });
    await set(scene, { unsaid });
    await scene.start();
    await settle(scene);
    expect((await scene.delivery()).status).toBe('delivered');
    expect(scene.announced).toEqual([]);
    expect((await scene.health.readLatest(endpointId)).unsaid).toEqual(unsaid);
  });

  // The one who said it had written the health, and lost the lease by his own write.
  test('is no hindrance to the probe of the one who says it', async () => {
    const scene = await aScene();
    await set(scene, { ...pausedUntil(testStartMs), unsaid });
    await scene.start();
    await scene.step();
    expect(scene.receiver.requests).toHaveLength(1);
    expect(toldOf(scene, 'endpoint.paused')).toHaveLength(1);
  });

  test('is said while the endpoint is paused, not when that is over', async () => {
    const scene = await aScene();
    await set(scene, { ...pausedUntil(testStartMs + hourMs), unsaid });
    await scene.start();
    await scene.step();
    expect(toldOf(scene, 'endpoint.paused')).toHaveLength(1);
    expect(scene.receiver.requests).toEqual([]);
    await settle(scene);
    expect((await scene.delivery()).status).toBe('delivered');
    expect(toldOf(scene, 'endpoint.paused')).toHaveLength(1);
  });

  test('keeps no endpoint paused, though the bus takes nothing for hours', async () => {
    const scene = await aScene({ fateOf: ({ port }) => (port === 'announce' ? 'fault before' : undefined) });
    await set(scene, { ...pausedUntil(testStartMs), unsaid });
    await scene.start();
    await work(scene, testStartMs + hourMs);
    expect((await scene.delivery()).status).toBe('delivered');
  });
});

test('a dead letter of a paused endpoint falls at once', async () => {
  const policy = { circuitBreaker: { ...breaker, failures: 1 }, retry: { maximumAttempts: 1 } };
  const scene = await aScene({ endpoint: anEndpoint({ policy }) });
  scene.receiver.answers(500);
  await scene.start();
  await settle(scene);
  expect(scene.clock.now() - testStartMs).toBeLessThan(minuteMs);
  expect(deadLetters(scene)).toHaveLength(1);
  expect(toldOf(scene, 'delivery.dead')).toEqual([
    expect.objectContaining({ endpointId, eventId: anEvent().id, attempts: 1, lastError: 'http_500' }),
  ]);
});

/** The health of the endpoint as nobody but a test sets it. */
async function set(scene: Scene, given: Partial<Health>): Promise<void> {
  const before = await scene.health.readLatest(endpointId);
  await scene.health.replace(endpointId, before, { ...well, ...given });
}

function pausedUntil(untilMs: number): Partial<Health> {
  const since = isoTime(testStartMs);
  const pause = { since, until: isoTime(untilMs), seconds: 60, cause: 'failures' as const };
  return { failures: 2, failingSince: since, lastFailureAt: since, pause };
}

/** Pauses the endpoint for so long from now on; gives when that ends. */
async function pause({ clock, ...scene }: Scene, ms: number): Promise<number> {
  const untilMs = clock.now() + ms;
  await set({ clock, ...scene }, pausedUntil(untilMs));
  return untilMs;
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `event-${index}`);
}

/** So many events for the endpoint, each with its first message. */
async function many({ ledger, sendMessage }: Scene, count: number): Promise<void> {
  for (const name of names(count)) {
    await ledger.events.add(anEvent({ name }));
    await sendMessage(aMessage({ eventId: eventIdOf(name) }));
  }
}

/** Works in batches of ten on all that becomes visible until then. */
async function work({ queue, clock, invoke }: Scene, untilMs = Infinity): Promise<void> {
  for (let batches = 0; batches < 5_000; batches += 1) {
    const nextAtMs = queue.nextAtMs();
    if (nextAtMs === undefined || nextAtMs > untilMs) return;
    clock.passTo(nextAtMs);
    await invoke(queue.receive());
  }
  throw new Error('the messages go round and round');
}

function deliveryOf({ ledger }: Scene, name: string) {
  return ledger.deliveries.get(endpointId, eventIdOf(name));
}

async function attemptsOf(scene: Scene, count: number) {
  const found = await Promise.all(names(count).map((name) => deliveryOf(scene, name)));
  return found.map((delivery) => [delivery?.status, delivery?.attemptCount] as const);
}

function toldOf({ announced }: Scene, type: string): unknown[] {
  return announced
    .filter(({ detailType }) => detailType === type)
    .map(({ detail }) => JSON.parse(detail) as unknown);
}

/** Milliseconds between each request and the next. */
function gapsOf({ receiver: { requests } }: Scene): number[] {
  return requests.slice(1).map(({ atMs }, index) => atMs - (requests[index]?.atMs ?? 0));
}

/**
 * No window of any length holds more than its slots, and those of the three seconds that SQS's whole seconds and
 * small bursts may shift an attempt by.
 */
function expectPace({ receiver: { requests } }: Scene, perSecond: number): void {
  const times = requests.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  for (const windowMs of [1, 2, 5, 10, 60, 600].map((seconds) => seconds * secondMs)) {
    const most = Math.max(
      ...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length),
    );
    expect(most).toBeLessThanOrEqual(perSecond * (windowMs / secondMs + 3) + 1);
  }
}
