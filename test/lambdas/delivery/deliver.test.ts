import { describe, expect, test } from 'vitest';
import { attemptsKeptMax } from '../../../lambdas/delivery/delivery.ts';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene, deadLetters, settle } from './a-scene.ts';
import type { Scene } from './a-scene.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const impatient = { retry: { maximumAttempts: 2 } };

/** A delivery that has died of two answers 500, its message in the dead-letter queue. */
async function aDeadScene(): Promise<Scene> {
  const scene = await aScene({ endpoint: anEndpoint({ policy: impatient }) });
  scene.receiver.always(500);
  await scene.start();
  await settle(scene);
  return scene;
}

describe('an attempt', () => {
  test('that meets a 200 delivers, by one request and one message', async () => {
    const scene = await aScene();
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({
      status: 'delivered',
      attemptCount: 1,
      attempts: [{ number: 1, round: 1, trigger: 'scheduled', outcome: 'delivered', statusCode: 200 }],
    });
    expect(scene.receiver.requests).toHaveLength(1);
    expect(scene.queue.sent).toHaveLength(1);
  });

  test('goes to the endpoint’s URL with its timeout and the rules of this deployment', async () => {
    const endpoint = anEndpoint({ policy: { timeoutSeconds: 7 } });
    const scene = await aScene({ endpoint });
    await scene.start();
    await settle(scene);
    const [request] = scene.receiver.requests;
    expect(request).toMatchObject({ url: endpoint.url, timeoutMs: 7_000, rules: { loopback: false } });
  });

  test('sends the event’s envelope with its data', async () => {
    const scene = await aScene({ event: anEvent({ data: { runId: 77 } }) });
    await scene.start();
    await settle(scene);
    expect(JSON.parse(Buffer.from(scene.receiver.requests[0]?.body ?? []).toString())).toEqual({
      id: anEvent().id,
      type: 'pipeline.run.failed',
      timestamp: isoTime(testStartMs),
      organizationId: 'org_1',
      resource: 'pipeline/42',
      data: { runId: 77 },
    });
  });

  test('that fails is recorded with its code and the time of the next one', async () => {
    const scene = await aScene();
    scene.receiver.answers({ kind: 'failure', code: 'tls_expired' });
    await scene.start();
    await scene.step();
    const delivery = await scene.delivery();
    const attempt = { number: 1, outcome: 'retry', code: 'tls_expired', durationMs: 20 };
    expect(delivery).toMatchObject({ status: 'retrying', lastError: 'tls_expired', attempts: [attempt] });
    const waitMs = Date.parse(delivery.nextAttemptAt ?? '') - scene.clock.now();
    expect(waitMs).toBeGreaterThanOrEqual(4_000);
    expect(waitMs).toBeLessThanOrEqual(6_000);
  });

  test('that fails is followed by the next one when its time has come, and not before (I8)', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 500, 500, 200);
    await scene.start();
    await settle(scene);
    const gapsMs = gapsOf(scene);
    // The first message, and one for each attempt that follows: a wait this short takes no hop.
    expect(scene.queue.sent).toHaveLength(4);
    for (const [index, baseMs] of [5_000, 25_000, 125_000].entries()) {
      expect(gapsMs[index]).toBeGreaterThanOrEqual(0.8 * baseMs);
      expect(gapsMs[index]).toBeLessThanOrEqual(1.2 * baseMs + 1_100);
    }
  });

  test('waits as long as a 503 asks', async () => {
    const scene = await aScene();
    scene.receiver.answers({ kind: 'response', status: 503, retryAfter: '7200' }, 200);
    await scene.start();
    await settle(scene);
    expect(gapsOf(scene)[0]).toBeGreaterThanOrEqual(2 * hourMs);
  });

  test('has the same body and webhook-id as all others, and a timestamp of its own', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 500, 200);
    await scene.start();
    await settle(scene);
    const { requests } = scene.receiver;
    expect(requests).toHaveLength(3);
    for (const { body, headers, atMs } of requests) {
      expect(Buffer.from(body).equals(Buffer.from(requests[0]?.body ?? []))).toBe(true);
      expect(headers['webhook-id']).toBe(anEvent().id);
      expect(headers['webhook-timestamp']).toBe(String(Math.floor(atMs / 1000)));
    }
    expect(new Set(requests.map(({ headers }) => headers['webhook-signature'])).size).toBe(3);
  });

  test('uses the configuration of its time: another URL, a rotated secret', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 200);
    await scene.start();
    await scene.step();
    const at = scene.clock.iso();
    const changed = anEndpoint({
      url: 'https://new.example.com/',
      secretVersions: [{ id: 'v2', createdAt: at }],
    });
    scene.configuration.set(changed);
    scene.secrets.keepFor(changed);
    await settle(scene);
    expect(scene.receiver.requests[1]?.url).toBe('https://new.example.com/');
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
  });

  test('is kept with the latest twenty, and counted with all', async () => {
    const retry = { initialBackoffSeconds: 1, multiplier: 1, maximumAttempts: 30 };
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry } }) });
    scene.receiver.always(500);
    await scene.start();
    await settle(scene);
    const { attempts, attemptCount } = await scene.delivery();
    expect(attemptCount).toBe(30);
    expect(attempts.map(({ number }) => number)).toEqual(
      Array.from({ length: attemptsKeptMax }, (_, n) => n + 11),
    );
    expect(scene.receiver.requests).toHaveLength(30);
  });

  test('that meets a 410 is the last, and the delivery is dead', async () => {
    const scene = await aScene();
    scene.receiver.answers(410);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'dead', attemptCount: 1, lastError: 'http_410' });
    expect(scene.queue.dead).toHaveLength(1);
  });

  test('says in one line what was tried, and nothing of payload, secret or signature', async () => {
    const scene = await aScene({ event: anEvent({ data: { card: 'PLANTED-4111' } }) });
    scene.receiver.answers(500, 410);
    await scene.start();
    await settle(scene);
    const lines = scene.journal.lines.filter(({ message }) => message === 'delivery.attempted');
    expect(lines.map(({ fields }) => [fields['attempt'], fields['code']])).toEqual([
      [1, 'http_500'],
      [2, 'http_410'],
    ]);
    const everything = JSON.stringify([scene.journal.lines, scene.queue.sent]);
    expect(everything).not.toMatch(/PLANTED|whsec_|v1,/);
  });
});

describe('a wait', () => {
  test('that is longer than SQS can delay takes several hops, and its attempt comes at its time', async () => {
    const scene = await aScene({
      endpoint: anEndpoint({ policy: { retry: { initialBackoffSeconds: 7_200 } } }),
    });
    scene.receiver.answers(500, 200);
    await scene.start();
    await scene.step();
    const { nextAttemptAt } = await scene.delivery();
    await settle(scene);
    const earlyMs = Date.parse(nextAttemptAt ?? '') - (scene.receiver.requests[1]?.atMs ?? 0);
    expect(earlyMs).toBeLessThanOrEqual(0);
    expect(earlyMs).toBeGreaterThan(-1_000);
    expect(scene.queue.sent.length).toBeGreaterThan(6);
    expect(scene.receiver.requests).toHaveLength(2);
  });

  test('reads nothing while it lasts', async () => {
    const scene = await aScene();
    await scene.sendMessage(aMessage({ notBefore: isoTime(testStartMs + 24 * hourMs) }));
    for (let hop = 0; hop < 90; hop += 1) await scene.step();
    expect(new Set(scene.calls.map(({ port }) => port))).toEqual(new Set(['send']));
  });

  test('whose hop arrives early hops again for what is left', async () => {
    const scene = await aScene();
    await scene.sendMessage(aMessage({ notBefore: isoTime(testStartMs + 5_000) }), 0);
    await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
    const hop = scene.queue.sent.at(-1);
    expect(hop?.delaySeconds).toBe(5);
    expect(readMessage(hop?.body ?? '')).toEqual(readMessage(scene.queue.sent[0]?.body ?? ''));
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(1);
  });
});

/** What lies in the queue, each message in the hands of a function of its own, all at the same time. */
async function apart(scene: Scene): Promise<void> {
  await Promise.all(scene.queue.receive().map((record) => scene.invoke([record])));
}

describe('copies of a message', () => {
  test('that come at the same time may both be posted, but one outcome is recorded and one chain goes on', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 500, 200);
    await scene.start();
    await scene.start();
    await apart(scene);
    expect(scene.receiver.requests).toHaveLength(2);
    // The two copies, what follows, and what follows for the case that the faster copy has died, a minute late.
    expect(scene.queue.sent).toHaveLength(4);
    await settle(scene);
    const { status, attempts } = await scene.delivery();
    expect(status).toBe('delivered');
    expect(attempts.map(({ number }) => number)).toEqual([1, 2]);
    expect(scene.receiver.requests).toHaveLength(3);
  });

  test('that come in one batch are worked on one after the other, and the receiver gets one request', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 200);
    for (let copies = 0; copies < 5; copies += 1) await scene.start();
    await scene.invoke(scene.queue.receive());
    expect(scene.receiver.requests).toHaveLength(1);
    await settle(scene);
    expect((await scene.delivery()).attempts.map(({ number }) => number)).toEqual([1, 2]);
    expect(scene.receiver.requests).toHaveLength(2);
  });

  test('that come after the delivery is done are dropped', async () => {
    const scene = await aScene();
    await scene.start();
    await settle(scene);
    await scene.start();
    await scene.sendMessage(aMessage({ attempt: 2 }));
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(1);
    expect(scene.journal.lines.filter(({ message }) => message === 'delivery.dropped')).toHaveLength(2);
  });

  test('that come late repeat no attempt', async () => {
    const scene = await aScene();
    scene.receiver.answers(500, 500, 500, 200);
    await scene.start();
    await scene.step();
    await scene.start();
    await scene.step();
    await scene.step();
    await scene.start();
    await settle(scene);
    expect((await scene.delivery()).attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(scene.receiver.requests).toHaveLength(4);
  });

  test('of a whole batch for one event end as one delivery', async () => {
    const scene = await aScene();
    for (let copy = 0; copy < 10; copy += 1) await scene.start();
    await scene.invoke(scene.queue.receive());
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
    expect(scene.queue.sent).toHaveLength(10);
  });
});

describe('copies that come at the same moment, of which the faster one records and dies before it sends', () => {
  test.each([
    ['goes on though that one never comes back', [500, 500, 200], 'delivered'],
    ['is a dead letter though that one never comes back', [410, 410], 'dead'],
  ])('the delivery %s', async (_, answers, status) => {
    const scene = await aScene();
    scene.receiver.answers(...answers);
    await scene.start();
    await scene.start();
    const [faster, slower] = scene.queue.receive();
    if (faster === undefined || slower === undefined) throw new Error('two messages wait');
    let deaths = 1;
    scene.settings.fateOf = ({ port }) => (port === 'record' && deaths-- > 0 ? 'crash after' : undefined);
    await Promise.all([scene.invoke([faster]), scene.invoke([slower])]);
    // Its fifth receive: SQS hands it out no more.
    scene.queue.delete(faster);
    await settle(scene);
    expect((await scene.delivery()).status).toBe(status);
    expect(deadLetters(scene).filter(({ dead }) => dead !== undefined)).toHaveLength(
      status === 'dead' ? 1 : 0,
    );
  });
});

describe('while the bus takes nothing', () => {
  test('a dead delivery’s letter waits for it and is not lost, and people are told then', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.settings.fateOf = ({ port }) => (port === 'announce' ? 'fault before' : undefined);
    scene.receiver.answers(500);
    await scene.start();
    while (scene.clock.now() < testStartMs + 6 * hourMs) {
      if (!(await scene.step())) throw new Error('the delivery has no message any more');
    }
    expect((await scene.delivery()).status).toBe('dead');
    expect(scene.queue.dead).toEqual([]);
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(deadLetters(scene)).toMatchObject([{ dead: { attempts: 1, lastError: 'http_500' } }]);
    expect(scene.announced.map(({ detailType }) => detailType)).toEqual(['delivery.dead']);
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('a letter that had to wait can be redriven as any other', async () => {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.settings.fateOf = ({ port }) => (port === 'announce' ? 'fault before' : undefined);
    scene.receiver.answers(500, 200);
    await scene.start();
    for (let hold = 0; hold < 30; hold += 1) await scene.step();
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    scene.clock.pass(hourMs);
    scene.queue.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 2 });
  });

  test('deliveries that succeed and those that are tried again go on', async () => {
    const scene = await aScene({ fateOf: ({ port }) => (port === 'announce' ? 'fault before' : undefined) });
    scene.receiver.answers(500, 500, 200);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 3 });
  });
});

describe('a fault of ours', () => {
  test.each([
    ['readRecipient', 'configuration_unavailable'],
    ['readKnown', 'ledger_unavailable'],
    ['prepare', 'signing_unavailable'],
  ] as const)('in %s spends no attempt, posts nothing and holds for about a minute', async (port, code) => {
    const scene = await aScene({ fateOf: (call) => (call.port === port ? 'fault before' : undefined) });
    await scene.start();
    await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
    const [, held] = scene.queue.sent;
    expect(held?.delaySeconds).toBeGreaterThanOrEqual(48);
    expect(held?.delaySeconds).toBeLessThanOrEqual(72);
    expect(readMessage(held?.body ?? '')).toMatchObject({ attempt: 1, round: 1, trigger: 'scheduled' });
    expect(scene.journal.lines).toContainEqual({
      message: 'delivery.held',
      fields: expect.objectContaining({ code, fault: 'ThrottlingException' }) as unknown,
    });
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
  });

  test('that lasts for six hours drains nothing into the dead-letter queue and spends no budget (I11)', async () => {
    const endpoint = anEndpoint({ policy: impatient });
    const scene = await aScene({ endpoint });
    scene.receiver.answers(500, 200);
    await scene.start();
    await scene.step();
    scene.settings.fateOf = ({ port }) => (port === 'prepare' ? 'fault before' : undefined);
    while (scene.clock.now() < testStartMs + 6 * hourMs) {
      if (!(await scene.step())) throw new Error('the delivery has no message any more');
    }
    expect(scene.queue.dead).toEqual([]);
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
  });

  test('that keeps a hop from being sent leaves the message to SQS', async () => {
    const scene = await aScene({
      fateOf: ({ port }) => (port === 'prepare' || port === 'send' ? 'fault before' : undefined),
    });
    await scene.start();
    await scene.step();
    expect(scene.queue.size()).toBe(1);
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
  });

  test('after the POST brings the message back: posted again, recorded once', async () => {
    let faults = 1;
    const scene = await aScene({
      fateOf: ({ port }) => (port === 'record' && faults-- > 0 ? 'fault before' : undefined),
    });
    await scene.start();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(2);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
  });

  test('with the secret never lets a request go out unsigned', async () => {
    const scene = await aScene();
    scene.configuration.set(anEndpoint({ secretVersions: [{ id: 'lost', createdAt: scene.clock.iso() }] }));
    await scene.start();
    for (let hold = 0; hold < 10; hold += 1) await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
    scene.configuration.set(anEndpoint());
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(1);
  });

  test('a stored body that was damaged is never sent', async () => {
    const event = anEvent();
    if (event.body !== undefined) event.body.sha256 = 'another';
    const scene = await aScene({ event });
    await scene.start();
    for (let hold = 0; hold < 10; hold += 1) await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
  });

  // sender.md, 2: within 2 s of the send. A receiver with a slow clock refuses what is late already.
  test('a secret that is slow to come does not make the timestamp old (I4)', async () => {
    const scene = await aScene();
    const { readSecret } = scene.secrets;
    scene.secrets.readSecret = (name, versionId) => {
      scene.clock.pass(8_000);
      return readSecret(name, versionId);
    };
    await scene.start();
    await settle(scene);
    const [request] = scene.receiver.requests;
    const lateMs = (request?.atMs ?? 0) - Number(request?.headers['webhook-timestamp']) * 1000;
    expect(lateMs).toBeLessThanOrEqual(2_000);
  });
});

describe('too little time', () => {
  test('is left for a timeout and the record: nothing is started, and the message comes back', async () => {
    const scene = await aScene({ remainingMs: 19_999 });
    await scene.start();
    await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
    expect(scene.queue.sent).toHaveLength(1);
    scene.settings.remainingMs = 20_000;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
  });
});

describe('a delivery that is deliberately not made', () => {
  test.each([
    ['endpoint_disabled', anEndpoint({ active: false }), anOrganization()],
    ['not_entitled', anEndpoint(), anOrganization({ plan: 'free' })],
    ['unsubscribed', anEndpoint({ eventTypes: ['security.*'] }), anOrganization()],
  ])(
    '%s: posts nothing, ends discarded with the reason, and keeps its attempts',
    async (reason, endpoint, organization) => {
      const scene = await aScene();
      scene.receiver.answers(500);
      await scene.start();
      await scene.step();
      scene.configuration.set(endpoint);
      scene.configuration.setOrganization(organization);
      await settle(scene);
      expect(await scene.delivery()).toMatchObject({
        status: 'discarded',
        reason,
        attempts: [{ code: 'http_500' }],
      });
      expect(await scene.delivery()).not.toHaveProperty('nextAttemptAt');
      expect(scene.queue.dead).toEqual([]);
    },
  );

  test('endpoint_deleted: posts nothing', async () => {
    const scene = await aScene();
    await scene.configuration.endpoints.remove('org_1', anEndpoint().id);
    await scene.start();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(0);
    expect(await scene.delivery()).toMatchObject({
      status: 'discarded',
      reason: 'endpoint_deleted',
      attemptCount: 0,
    });
  });

  test('expired: an event whose retention has passed is never sent, empty or otherwise', async () => {
    const retry = { initialBackoffSeconds: 3_600, maximumAttempts: 30 };
    const event = anEvent({ expiresAt: (testStartMs + 30 * minuteMs) / 1000 });
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry } }), event });
    scene.receiver.answers(500);
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'discarded', reason: 'expired', attemptCount: 1 });
  });

  test('stays so when the endpoint is switched on again and an old message comes', async () => {
    const scene = await aScene();
    scene.configuration.set(anEndpoint({ active: false }));
    await scene.start();
    await settle(scene);
    scene.configuration.set(anEndpoint());
    await scene.start();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(0);
    expect((await scene.delivery()).status).toBe('discarded');
  });
});

describe('a dead delivery', () => {
  test('is recorded as dead, and its one last message falls into the dead-letter queue and explains itself', async () => {
    const scene = await aDeadScene();
    expect(await scene.delivery()).toMatchObject({ status: 'dead', attemptCount: 2, lastError: 'http_500' });
    const [letter, ...others] = deadLetters(scene);
    expect(others).toEqual([]);
    const { organizationId, endpointId, eventId, eventType } = aMessage();
    expect(letter).toMatchObject({
      organizationId,
      endpointId,
      eventId,
      eventType,
      attempt: 2,
      lastError: 'http_500',
    });
    expect(letter?.dead).toMatchObject({ attempts: 2, lastError: 'http_500' });
  });

  test('posts nothing while its message falls', async () => {
    const scene = await aDeadScene();
    expect(scene.receiver.requests).toHaveLength(2);
    expect(scene.clock.now()).toBeLessThan(testStartMs + minuteMs);
  });

  test('falls again when it is redriven within its first minute', async () => {
    const scene = await aDeadScene();
    scene.queue.redrive();
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(2);
    expect(scene.queue.dead).toHaveLength(1);
  });

  test('that is redriven later gets a fresh budget: same id, new timestamp, numbers that go on', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.answers(500, 200);
    scene.queue.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({
      status: 'delivered',
      round: 2,
      attempts: [
        { number: 1, round: 1, trigger: 'scheduled' },
        { number: 2, round: 1, trigger: 'scheduled', outcome: 'dead' },
        { number: 3, round: 2, trigger: 'redrive' },
        { number: 4, round: 2, trigger: 'scheduled', outcome: 'delivered' },
      ],
    });
    const ids = new Set(scene.receiver.requests.map(({ headers }) => headers['webhook-id']));
    expect(ids).toEqual(new Set([anEvent().id]));
    expect(scene.queue.dead).toEqual([]);
  });

  test('waits as at first after it was redriven: the schedule begins anew', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.answers(500, 200);
    scene.queue.redrive();
    await settle(scene);
    expect(gapsOf(scene).at(-1)).toBeLessThanOrEqual(7_100);
  });

  test('that is redriven and dies again falls again, and can be redriven again', async () => {
    const scene = await aDeadScene();
    for (const round of [2, 3]) {
      scene.clock.pass(hourMs);
      scene.queue.redrive();
      await settle(scene);
      expect(await scene.delivery()).toMatchObject({ status: 'dead', round, attemptCount: 2 * round });
      expect(scene.queue.dead).toHaveLength(1);
    }
  });

  test('that was delivered after a redrive is not sent again by a second redrive', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.always(200);
    const [letter] = scene.queue.dead;
    scene.queue.redrive();
    await settle(scene);
    await scene.queue.send({ body: letter?.body ?? '', groupId: 'any', delaySeconds: 0 });
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(3);
  });

  test('opens its new round once, though its message is redriven twice at the same time', async () => {
    const scene = await aDeadScene();
    const [letter] = scene.queue.dead;
    scene.clock.pass(hourMs);
    scene.receiver.answers(500, 500, 200);
    scene.queue.redrive();
    await scene.queue.send({ body: letter?.body ?? '', groupId: 'any', delaySeconds: 0 });
    await apart(scene);
    await settle(scene);
    const { status, round, attempts } = await scene.delivery();
    expect({ status, round }).toEqual({ status: 'delivered', round: 2 });
    expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(scene.receiver.requests).toHaveLength(5);
  });

  test('that is redriven while something of ours is down waits, and is delivered then', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.always(200);
    for (const port of ['readRecipient', 'readKnown', 'prepare']) {
      scene.settings.fateOf = (call) => (call.port === port ? 'fault before' : undefined);
      if (port === 'readRecipient') scene.queue.redrive();
      await scene.step();
    }
    scene.settings.fateOf = () => undefined;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 3 });
  });
});

describe('a dead delivery whose letter fell without its mark, because SQS took no message', () => {
  /** The letter lies in the dead-letter queue as what it was: the message for the last attempt. */
  async function anUnmarkedScene(): Promise<Scene> {
    const scene = await aScene({ endpoint: anEndpoint({ policy: { retry: { maximumAttempts: 1 } } }) });
    scene.settings.fateOf = ({ port }) => (port === 'send' ? 'fault before' : undefined);
    scene.receiver.always(500);
    await scene.start();
    await settle(scene);
    scene.settings.fateOf = () => undefined;
    scene.clock.pass(hourMs);
    return scene;
  }

  test('is recorded as dead, and its letter is not lost', async () => {
    const scene = await anUnmarkedScene();
    expect((await scene.delivery()).status).toBe('dead');
    expect(deadLetters(scene)).toMatchObject([{ attempt: 1 }]);
    expect(deadLetters(scene)[0]).not.toHaveProperty('dead');
  });

  test('gets the mark when it is redriven, posts nothing, and can be redriven by that', async () => {
    const scene = await anUnmarkedScene();
    scene.queue.redrive();
    await settle(scene);
    expect(deadLetters(scene)).toMatchObject([{ dead: { attempts: 1, lastError: 'http_500' } }]);
    expect(scene.receiver.requests).toHaveLength(1);
    scene.clock.pass(hourMs);
    scene.receiver.always(200);
    scene.queue.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 2 });
    expect(scene.queue.dead).toEqual([]);
  });
});

describe('a retry by hand', () => {
  test('sends once more what was delivered', async () => {
    const scene = await aScene();
    await scene.start();
    await settle(scene);
    await scene.retryByHand();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({
      status: 'delivered',
      round: 2,
      attempts: [{ number: 1 }, { number: 2, round: 2, trigger: 'manual' }],
    });
  });

  test.each(['scheduled', 'manual'])(
    'and an attempt of the schedule at the same moment get a number each, though the %s one is recorded first',
    async (faster) => {
      const scene = await aScene({
        endpoint: anEndpoint({ policy: { retry: { initialBackoffSeconds: 60 } } }),
      });
      scene.receiver.answers(500, 500, 500, 200);
      await scene.start();
      await scene.step();
      scene.clock.pass(2 * minuteMs);
      await scene.retryByHand();
      const all = scene.queue.receive();
      expect(all).toHaveLength(2);
      const first = all.filter(({ body }) => body.includes(faster));
      const second = all.filter(({ body }) => !body.includes(faster));
      await Promise.all([scene.invoke(first), scene.invoke(second)]);
      await settle(scene);
      const { status, attempts } = await scene.delivery();
      expect(status).toBe('delivered');
      const numbers = attempts.map(({ number }) => number);
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(attempts.filter(({ trigger }) => trigger === 'manual')).toHaveLength(1);
      // One chain goes on: that of the round which somebody has asked for.
      expect(scene.receiver.requests).toHaveLength(4);
    },
  );

  test('takes over from a schedule that was still running', async () => {
    const scene = await aScene({
      endpoint: anEndpoint({ policy: { retry: { initialBackoffSeconds: 3_600 } } }),
    });
    scene.receiver.answers(500, 200);
    await scene.start();
    await scene.step();
    await scene.retryByHand();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 2 });
    expect(scene.receiver.requests).toHaveLength(2);
  });

  test('asked for twice is made once', async () => {
    const scene = await aScene();
    await scene.start();
    await settle(scene);
    await Promise.all([scene.retryByHand(), scene.retryByHand()]);
    await settle(scene);
    expect(scene.receiver.requests).toHaveLength(2);
  });

  test('of a dead delivery leaves nothing for its dead letter to do', async () => {
    const scene = await aDeadScene();
    scene.clock.pass(hourMs);
    scene.receiver.always(200);
    await scene.retryByHand();
    await settle(scene);
    scene.queue.redrive();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2, attemptCount: 3 });
    expect(scene.receiver.requests).toHaveLength(3);
  });

  test('before the first message has come makes one delivery of the two', async () => {
    const scene = await aScene();
    await scene.retryByHand();
    await scene.step();
    await scene.start();
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
    expect(scene.receiver.requests).toHaveLength(1);
  });
});

describe('a batch', () => {
  test('with one poisonous record fails only that one, at once and until it is a dead letter', async () => {
    const scene = await aScene();
    await scene.queue.send({ body: 'Hello', groupId: 'any', delaySeconds: 0 });
    await scene.start();
    await scene.invoke(scene.queue.receive());
    expect((await scene.delivery()).status).toBe('delivered');
    expect(scene.queue.waiting().map(({ body }) => body)).toEqual(['Hello']);
    expect(scene.queue.nextAtMs()).toBeLessThanOrEqual(scene.clock.now());
    await settle(scene);
    expect(scene.queue.dead.map(({ body }) => body)).toEqual(['Hello']);
    const poisonous = scene.journal.lines.filter(({ message }) => message === 'message.poisonous');
    expect(poisonous).toHaveLength(5);
    expect(JSON.stringify(poisonous)).not.toContain('Hello');
  });
});

/** Milliseconds between each request and the next. */
function gapsOf({ receiver: { requests } }: Scene): number[] {
  return requests.slice(1).map(({ atMs }, index) => atMs - (requests[index]?.atMs ?? 0));
}
