import { afterEach, describe, expect, it, vi } from 'vitest';
import { makeReadSecret } from '../../../lambdas/signing/secrets.ts';
import { bytesInMemory, cached } from '../../../lambdas/shared/cache.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { heapBytes } from '../../fakes/heap.ts';

const mebibyte = 2 ** 20;

/** An endpoint as people make them: some 700 bytes of JSON. */
const endpointText = JSON.stringify({
  ...anEndpoint(),
  description: 'Team payments, production, owned by somebody',
  eventTypes: ['pipeline.*', 'orchestration.job.queued', 'security.api_key.created', 'governance.*'],
  headers: [
    { name: 'x-team', value: 'payments' },
    { name: 'authorization', secret: true, versionId: 'b6b8a1f0-1111-4222-8333-444455556666' },
  ],
});

function subscribersOf(id: string, endpoints: number) {
  const made = Array.from({ length: endpoints }, () => JSON.parse(endpointText) as object);
  return Promise.resolve({ organization: { ...anOrganization(), id }, endpoints: made });
}

const always = () => true;

describe('memory of a cache', () => {
  it('stays below its bound with 10,000 organizations of 60 endpoints', async () => {
    const read = cached((id = '') => subscribersOf(id, 60), always, { bytesMax: 16 * mebibyte });
    const before = heapBytes();
    for (let index = 0; index < 10_000; index += 1) await read(`org_${index}`);
    expect(heapBytes() - before).toBeLessThan(18 * mebibyte);
    // Not by keeping nothing.
    expect(heapBytes() - before).toBeGreaterThan(6 * mebibyte);
  });

  it('has a bound, unless another is named, that holds with the largest organizations, too', async () => {
    const read = cached((id = '') => subscribersOf(id, 1_000), always);
    const before = heapBytes();
    for (let index = 0; index < 100; index += 1) await read(`org_${index}`);
    expect(heapBytes() - before).toBeLessThan(34 * mebibyte);
  });

  it('what is larger than the bound is answered, and asked for again', async () => {
    let looks = 0;
    const look = () => Promise.resolve({ text: 'x'.repeat(2_000), looks: (looks += 1) });
    const read = cached(look, always, { bytesMax: 1_000 });
    expect(await read('org_1')).toMatchObject({ looks: 1 });
    expect(await read('org_1')).toMatchObject({ looks: 2 });
  });

  it('what has been written counts like what was read', () => {
    const read = cached(() => Promise.resolve({ text: '' }), always, { bytesMax: mebibyte });
    const before = heapBytes();
    // Words of their own: a repeated letter may be kept as less.
    for (let index = 0; index < 1_000; index += 1) {
      read.keep({ text: Buffer.alloc(20_000, `${index} `).toString('latin1') }, `org_${index}`);
    }
    expect(heapBytes() - before).toBeLessThan(2 * mebibyte);
  });

  it('of secrets stays below its bound', async () => {
    const value = () => Buffer.alloc(60_000, String(Math.random())).toString('latin1');
    const client = { send: () => Promise.resolve({ SecretString: value() }) };
    const read = makeReadSecret(client as unknown as Parameters<typeof makeReadSecret>[0], 'tidings/prod');
    const name = { organizationId: 'org_1', endpointId: 'ep_1', part: 'client-certificate' as const };
    const before = heapBytes();
    for (let index = 0; index < 1_000; index += 1) await read(name, `version ${index}`);
    expect(heapBytes() - before).toBeLessThan(18 * mebibyte);
  });
});

describe('what has ended leaves memory', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  async function aThing(read: (id: string) => Promise<object>): Promise<WeakRef<object>> {
    return new WeakRef(await read('org_1'));
  }

  async function isGone(thing: WeakRef<object>): Promise<void> {
    await vi.waitFor(
      () => {
        heapBytes();
        // A failed expectation would hold on to what it has seen.
        expect(thing.deref() === undefined).toBe(true);
      },
      { timeout: 5_000, interval: 20 },
    );
  }

  it('though nobody asks for anything again', async () => {
    const read = cached(() => Promise.resolve({}), always, { ttlMs: 50 });
    await isGone(await aThing(read));
    // Kept alive until here.
    expect(await read('org_2')).toEqual({});
  });

  it('and keeps no function from ending', async () => {
    const read = cached(() => Promise.resolve({}), always);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    for (let index = 0; index < 100; index += 1) await read(`org_${index}`);
    expect(timers()).toBeLessThanOrEqual(before + 1);
  });

  it('by a clock of its own at the next question, whatever is asked', async () => {
    let nowMs = 1_000;
    const read = cached(() => Promise.resolve({}), always, { ttlMs: 5_000, now: () => nowMs });
    const thing = await aThing(read);
    nowMs += 5_001;
    await read('org_2');
    await isGone(thing);
    expect(await read('org_2')).toEqual({});
  });
});

describe('the bytes that are counted for a value', () => {
  it.each([
    ['an organization of 1,000 endpoints', 10, () => subscribersOf('org_1', 1_000)],
    [
      'health',
      500,
      () => Promise.resolve({ version: 7, failures: 0, warned: 0, failingSince: '', unsaid: [] }),
    ],
    [
      'a catalogue by name',
      500,
      () => Promise.resolve(new Map([['a.b', JSON.parse(endpointText) as object] as const])),
    ],
    ['text beyond Latin', 500, () => Promise.resolve({ text: Buffer.alloc(3_000, '時').toString('utf8') })],
  ])('are no fewer than it takes, and not three times as many: %s', async (_what, copies, make) => {
    const kept: unknown[] = [];
    await make();
    const before = heapBytes();
    for (let index = 0; index < copies; index += 1) kept.push(structuredClone(await make()));
    const taken = (heapBytes() - before) / copies;
    const counted = bytesInMemory(kept[0]);
    expect(counted).toBeGreaterThan(taken * 0.9);
    expect(counted).toBeLessThan(taken * 3);
  });
});
