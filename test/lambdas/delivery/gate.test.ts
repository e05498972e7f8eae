import { describe, expect, test } from 'vitest';
import { askToBegin, waitsFor } from '../../../lambdas/delivery/gate.ts';
import type { GatePorts } from '../../../lambdas/delivery/gate.ts';
import type { Job } from '../../../lambdas/delivery/decide.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { makeShare } from '../../../lambdas/delivery/share.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../lambdas/endpoint/health/health.ts';
import { effectivePolicy } from '../../../lambdas/organization/policy.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { memoryHealth } from '../../fakes/health.ts';
import { pausedUntil } from './crowd.ts';

const at = isoTime(testStartMs);
const open = { turn: 1, pass: 1, dueAt: at };
const closing = { ...open, emptyAt: at };
const paused = { ...well, ...pausedUntil(testStartMs + 1) };
const halfOpen = { ...well, ...pausedUntil(testStartMs) };

describe('what the health of an endpoint says of a message', () => {
  const messages: Record<string, DeliveryMessage> = {
    'a first one': aMessage(),
    'a later one': aMessage({ attempt: 3 }),
    'one by hand': aMessage({ trigger: 'manual', round: 2 }),
    'one of a recovery': aMessage({ trigger: 'manual', round: 2, isOfMany: true }),
    'one that was redriven': aMessage({ trigger: 'redrive', round: 2 }),
    'one that was brought back': aMessage({ pass: 1 }),
  };
  const behind = ['a first one', 'a later one', 'one of a recovery', 'one that was redriven'];

  const all = Object.keys(messages);

  test.each([
    ['is well', well, { none: [] }],
    ['is paused', paused, { paused: all }],
    ['is paused, with a backlog', { ...paused, backlog: open }, { paused: all }],
    ['may be probed', halfOpen, { none: [] }],
    ['has a backlog', { ...well, backlog: open }, { behind }],
    ['has a backlog and may be probed', { ...halfOpen, backlog: open }, { behind }],
    ['has a backlog that seems to be empty', { ...well, backlog: closing }, { none: [] }],
  ])('that %s', (_, health: Health, waiting: Record<string, readonly string[]>) => {
    for (const [name, message] of Object.entries(messages)) {
      const cause = Object.keys(waiting).find((each) => waiting[each]?.includes(name));
      expect(waitsFor(message, health, testStartMs), name).toBe(cause);
    }
  });
});

/** A gate before an endpoint with a policy and a health. */
async function aGate({ policy = {}, health = well }: { policy?: object; health?: Partial<Health> } = {}) {
  const clock = aClock();
  const store = memoryHealth(clock.now);
  const endpoint = anEndpoint({ policy });
  await store.replace(endpoint.id, well, { ...well, ...health });
  const ports: GatePorts = { health: store, take: store.take, share: makeShare(clock.now), now: clock.now };
  const job: Job = {
    ...{ message: aMessage({ pass: 1 }), organization: anOrganization(), endpoint, event: anEvent() },
    policy: effectivePolicy(policy, {}),
    delivery: undefined,
  };
  const known = await store.readLatest(endpoint.id);
  return { ports, job, known, clock, store };
}

describe('an attempt', () => {
  test('of an endpoint that is well begins, and costs no write', async () => {
    const { ports, job, known } = await aGate();
    const take = () => Promise.reject(new Error('nobody asks'));
    expect(await askToBegin({ ...ports, take }, job, known)).toBe('go');
  });

  test('after a pause is made by one of many, and holds the lease', async () => {
    const { ports, job, known, store } = await aGate({ health: halfOpen });
    const all = await Promise.all([1, 2, 3].map(() => askToBegin(ports, job, known)));
    expect(all.toSorted()).toEqual(['probe', 'probed', 'probed']);
    const { pause } = await store.readLatest(job.endpoint.id);
    expect(pause).toMatchObject({ probing: true, until: isoTime(testStartMs + 75_000) });
  });

  test('above the pace waits', async () => {
    const { ports, job, known } = await aGate({ policy: { rateLimitPerSecond: 0.5 } });
    const verdicts: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      verdicts.push(await askToBegin(ports, job, known));
      ports.share.exit(job.endpoint.id, { durationMs: 10, wasSlow: false });
    }
    // The burst is one spacing: what comes a little early and a little late finds its leave.
    expect(verdicts).toEqual(['go', 'go', 'paced', 'paced']);
  });

  test('above the share of the workers waits', async () => {
    const { ports, job, known } = await aGate();
    for (let count = 0; count < 3; count += 1) expect(await askToBegin(ports, job, known)).toBe('go');
    for (let count = 0; count < 3; count += 1) ports.share.markSlow(job.endpoint.id);
    expect(await askToBegin(ports, job, known)).toBe('share');
  });
});

describe('a place of the share', () => {
  /** How many more may begin. */
  async function freePlaces({ share }: GatePorts, endpointId: string): Promise<number> {
    let free = 0;
    const ask = async () => {
      if (await share.enter(endpointId)) free += 1;
    };
    for (let count = 0; count < 3; count += 1) void ask();
    await new Promise(setImmediate);
    return free;
  }

  test.each([
    ['is not taken by who must wait for the pause', { health: paused }, { verdict: 'paused', free: 3 }],
    ['is held by who is let in', {}, { verdict: 'go', free: 2 }],
    ['is held by who probes', { health: halfOpen }, { verdict: 'probe', free: 2 }],
  ])('%s', async (_, wish, expected) => {
    const { ports, job, known } = await aGate(wish);
    const verdict = await askToBegin(ports, job, known);
    expect({ verdict, free: await freePlaces(ports, job.endpoint.id) }).toEqual(expected);
  });

  test('is left by who is above the pace', async () => {
    const { ports, job, known } = await aGate({ policy: { rateLimitPerSecond: 1 } });
    expect(await askToBegin({ ...ports, take: () => Promise.resolve(false) }, job, known)).toBe('paced');
    expect(await freePlaces(ports, job.endpoint.id)).toBe(3);
  });

  test('is left by whose leave could not be asked for', async () => {
    const { ports, job, known } = await aGate({ policy: { rateLimitPerSecond: 1 } });
    const take = () => Promise.reject(new Error('the ledger is down'));
    await expect(askToBegin({ ...ports, take }, job, known)).rejects.toThrow('the ledger is down');
    expect(await freePlaces(ports, job.endpoint.id)).toBe(3);
  });
});
