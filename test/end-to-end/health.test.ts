import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answering, aTlsReceiver } from '../lambdas/request/bad-receivers.ts';
import type { Receiver, Script } from '../lambdas/request/bad-receivers.ts';
import { statementsOf } from '../../local/permissions/evaluator/policy.ts';
import { anAuthority } from '../lambdas/request/certificates.ts';
import type { Authority } from '../lambdas/request/certificates.ts';
import { anEntry, startTidings, until } from './tidings.ts';
import type { Tidings } from './tidings.ts';

let tidings: Tidings;
let authority: Authority;
const receivers: Receiver[] = [];

/** What Tidings said on the bus, in this order. */
const said: { type: string; detail: Record<string, unknown> }[] = [];

beforeAll(async () => {
  authority = await anAuthority();
  tidings = await startTidings({ extraCas: [authority.certificate] });
  await listenToTheBus();
});

afterAll(async () => {
  await tidings.stop();
  await Promise.all(receivers.map((receiver) => receiver.close()));
});

/** As an operator would: a rule of his own on the bus, with a queue behind it. */
async function listenToTheBus(): Promise<void> {
  const { sqs, buses } = tidings.runtime.aws;
  const definition = { visibilityTimeoutSeconds: 30, messageRetentionSeconds: 3_600, delaySeconds: 0 };
  const queue = await sqs.createQueue({ name: 'operators', ...definition });
  const statement = {
    ...{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queue.arn },
    Principal: { Service: 'events.amazonaws.com' },
  };
  const policy = statementsOf('operators', { Version: '2012-10-17', Statement: statement }, queue.arn);
  tidings.runtime.permissions.book.addResourcePolicy(queue.arn, policy);
  buses.createRule({
    busName: tidings.runtime.output('BusName'),
    name: 'operators',
    eventPattern: { source: ['tidings'] },
    targets: [{ id: 'operators', queueArn: queue.arn }],
  });
  void (async () => {
    for (;;) {
      const received = await queue.receive({ max: 10, waitSeconds: Infinity });
      // A receive without an end comes back with nothing only from a queue that was closed.
      if (received.length === 0) return;
      for (const { message, receiptHandle } of received) {
        const event = JSON.parse(message.body) as { 'detail-type': string; detail: Record<string, unknown> };
        said.push({ type: event['detail-type'], detail: event.detail });
        await queue.delete(receiptHandle);
      }
    }
  })();
}

/** Kinds of operator events on an endpoint; what is said twice counts once, as the bus may do that at any time. */
function saidOf(endpoint: string): string[] {
  const own = said.filter(({ detail }) => detail['endpointId'] === endpoint).map(({ type }) => type);
  return own.filter((type, index) => type !== own[index - 1]);
}

/** What a receiver answers to its first request, its second one, and so on; the last answer holds for the rest. */
type Answers = readonly [number | Script, ...(number | Script)[]];

/** An organization with one endpoint, and its receiver. */
async function scene(name: string, answers: Answers, policy: object) {
  const organization = await tidings.makeOrganization(`org_${name}`);
  const arrivals: number[] = [];
  const { certificate, key } = await authority.issue({ names: ['localhost'] });
  const receiver = await aTlsReceiver(
    (connection) => {
      const next = answers[Math.min(arrivals.length, answers.length - 1)] ?? 204;
      arrivals.push(Date.now());
      (typeof next === 'number' ? answering(next) : next)(connection);
    },
    { cert: certificate, key },
  );
  receivers.push(receiver);
  const url = `https://localhost:${String(receiver.port)}/hooks`;
  const endpoint = await tidings.makeEndpoint(organization, '/hooks', { url, policy });
  const path = `/v1/organizations/${organization}/endpoints/${endpoint}`;
  const events = `/v1/organizations/${organization}/events`;
  const deliveries = async () => (await tidings.call('GET', `${path}/deliveries?limit=250`)).body.data;
  return {
    ...{ endpoint, arrivals, path, deliveries },
    publish: (count: number) =>
      Promise.all(Array.from({ length: count }, () => tidings.publish(anEntry(organization)))),
    /** Publishes one event, and answers what the API tells of it once it is routed. */
    publishOne: async () => {
      // With the bus's own time, which is to the second, it might not be the newest.
      const timestamp = new Date().toISOString();
      await tidings.publish(anEntry(organization, { detail: { occurredAt: timestamp } }));
      const event = await until('the event', async () => {
        const [newest] = (await tidings.call('GET', events)).body.data;
        return newest?.['timestamp'] === timestamp && newest;
      });
      return (await tidings.call('GET', `${events}/${event.id}`)).body;
    },
    health: async () => (await tidings.call('GET', path)).body['health'],
    allDelivered: (count: number) =>
      until(`${String(count)} deliveries`, async () => {
        const delivered = (await deliveries()).filter(({ status }) => status === 'delivered');
        return delivered.length === count && delivered;
      }),
  };
}

const quick = { initialBackoffSeconds: 1, multiplier: 1, maximumAttempts: 9 };

describe.concurrent('an endpoint', () => {
  it('that keeps failing is paused; single probes ask for it, and what waits uses up no attempt', async () => {
    const policy = {
      // Longer than two deliveries take to be seen failing, so that no third attempt is made meanwhile.
      retry: { ...quick, initialBackoffSeconds: 4 },
      circuitBreaker: { failures: 2, withoutSuccessSeconds: 0, pauseSeconds: 1, maximumPauseSeconds: 2 },
    };
    const { arrivals, endpoint, ...given } = await scene('paused', [500, 500, 500, 204], policy);
    await given.publish(2);
    await until('the pause', () => saidOf(endpoint).includes('endpoint.paused'));
    expect(await given.health()).toMatchObject({ state: 'paused', reason: 'failures' });

    await given.publish(20);
    await until('the second probe', () => arrivals.length > 3);
    // More than twenty were waiting when the first probe failed, and nobody came until its pause was over.
    expect((arrivals[3] ?? 0) - (arrivals[2] ?? 0)).toBeGreaterThanOrEqual(2_000);
    const delivered = await given.allDelivered(22);
    // Two found out that it fails, one probe was in vain, and each was delivered once.
    expect(arrivals).toHaveLength(2 + 1 + 22);
    expect(delivered.reduce((sum, { attemptCount }) => sum + attemptCount, 0)).toBe(2 + 1 + 22);
    expect(await given.health()).toEqual({ state: 'ok' });
    await until('the news', () => saidOf(endpoint).includes('endpoint.resumed'));
    expect(saidOf(endpoint)).toEqual(['endpoint.paused', 'endpoint.resumed']);
  });

  it('that answers 410 is switched off: what waits and what is new ends as gone, until it is resumed', async () => {
    const policy = { retry: { ...quick, initialBackoffSeconds: 3 } };
    const { arrivals, endpoint, ...given } = await scene('gone', [500, 410, 204], policy);
    await given.publish(1);
    await until('the first attempt', () => arrivals.length === 1);
    await given.publish(1);
    await until('the news', () => saidOf(endpoint).includes('endpoint.disabled'));
    expect(await given.health()).toMatchObject({ state: 'disabled', reason: 'gone' });
    const ended = await until('the end of both', async () => {
      const all = (await given.deliveries()).filter(({ status }) => status !== 'retrying');
      return all.length === 2 && all;
    });
    expect(ended).toContainEqual(expect.objectContaining({ status: 'dead', lastError: 'http_410' }));
    expect(ended).toContainEqual(
      expect.objectContaining({ status: 'discarded', reason: 'gone', attemptCount: 1 }),
    );

    // For five seconds routing believes what it has read before; until then delivery ends it for the same reason.
    const isSkipped = async () => JSON.stringify((await given.publishOne())['skipped']).includes('"gone"');
    await until('an event that is not even sent', isSkipped);
    expect(arrivals).toHaveLength(2);

    const resumed = await tidings.call('POST', `${given.path}/resume`);
    expect(resumed).toMatchObject({ status: 200, body: { health: { state: 'ok' } } });
    await until('a delivery', async () => {
      await given.publishOne();
      return arrivals.length > 2;
    });
    await until('the news', () => saidOf(endpoint).includes('endpoint.resumed'));
    const aboutIt = saidOf(endpoint).filter((type) => type.startsWith('endpoint.'));
    expect(aboutIt).toEqual(['endpoint.disabled', 'endpoint.resumed']);
  });

  it('that answers 429 with Retry-After gets nothing at all for so long', async () => {
    const busy = answering(429, 'retry-after: 2\r\n');
    const { arrivals, endpoint, ...given } = await scene('busy', [busy, 204], { retry: quick });
    await given.publish(1);
    // On the bus it stays; the state itself may be over before a slow machine has asked for it.
    const paused = await until('the pause', () =>
      said.find(({ type, detail }) => type === 'endpoint.paused' && detail['endpointId'] === endpoint),
    );
    expect(paused.detail['reason']).toBe('retry_after');
    await given.publish(5);
    const delivered = await given.allDelivered(6);
    for (const atMs of arrivals.slice(1)) expect(atMs - (arrivals[0] ?? 0)).toBeGreaterThanOrEqual(2_000);
    expect(delivered.reduce((sum, { attemptCount }) => sum + attemptCount, 0)).toBe(1 + 6);
  });

  it('with a limit of five a second gets thirty deliveries in no less than five seconds', async () => {
    const { arrivals, ...given } = await scene('limited', [204], { rateLimitPerSecond: 5 });
    await given.publish(30);
    await until('all requests', () => arrivals.length === 30);
    // Two seconds' worth may go early, and of the first one it is not known how long it was under way.
    for (const [index, atMs] of arrivals.entries()) {
      expect(atMs - (arrivals[0] ?? 0)).toBeGreaterThanOrEqual(index * 200 - 2_000 - slackMs);
    }
    expect(await given.allDelivered(30)).toSatisfy((all: { attemptCount: number }[]) =>
      all.every(({ attemptCount }) => attemptCount === 1),
    );
  });
});

const slackMs = 500;

it('no line of any log, and nothing said on the bus, holds a payload, a secret, a signature or a token', () => {
  for (const receiver of receivers) {
    for (const [, signature = ''] of receiver.received().matchAll(/^webhook-signature: v1,(\S+)/gim))
      tidings.planted.add(signature);
  }
  expect(tidings.planted.size).toBeGreaterThan(50);
  expect(tidings.logLines.length).toBeGreaterThan(100);
  expect(tidings.leaks()).toEqual([]);
  const heard = JSON.stringify(said);
  expect([...tidings.planted].filter((secret) => heard.includes(secret))).toEqual([]);
});
