import { describe, expect, test } from 'vitest';
import { attemptsKeptMax } from '../../../lambdas/delivery/delivery.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aScene, settle } from './a-scene.ts';
import { gapsOf } from './crowd.ts';

const hourMs = 3_600_000;

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
    // The first message, and one for each attempt that follows: a wait this short needs no row.
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
    expect(scene.falling.dead).toHaveLength(1);
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
    const everything = JSON.stringify([scene.journal.lines, scene.queue.sent, scene.falling.sent]);
    expect(everything).not.toMatch(/PLANTED|whsec_|v1,/);
  });
});

describe('too little time', () => {
  test('is left for a timeout and the record: nothing is started, and the delivery is put off', async () => {
    const scene = await aScene({ remainingMs: 34_999 });
    await scene.start();
    await scene.step();
    expect(scene.receiver.requests).toHaveLength(0);
    expect(scene.queue.sent.map(({ delaySeconds }) => delaySeconds)).toEqual([0, 1]);
    scene.settings.remainingMs = 35_000;
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 1 });
  });
});
