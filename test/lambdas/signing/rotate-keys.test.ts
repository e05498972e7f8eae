import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ensureKey, rotateKeys } from '../../../lambdas/signing/rotate-keys.ts';
import type { KeyPorts, Rotation } from '../../../lambdas/signing/rotate-keys.ts';
import { activeKey, keySetOf, thumbprintOf } from '../../../lambdas/signing/signing-key.ts';
import type { SigningKey } from '../../../lambdas/signing/signing-key.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { aService } from '../api/a-service.ts';
import { aSigning } from './a-signing.ts';

const hour = 3_600;
const path = '/v1/organizations/org_1/signing-keys';

describe('the first key of an organization', () => {
  it('is made once, and signs at once', async () => {
    const world = aWorld();
    await ensureKey(world.signing, 'org_1');
    const first = await world.active();
    await ensureKey(world.signing, 'org_1');
    expect(await world.active()).toBe(first);
    expect(await world.published()).toEqual([first]);
    expect(world.signing.made).toHaveLength(1);
  });

  it('is one, and everybody is content with it, when several want it at the same moment', async () => {
    const world = aWorld();
    await Promise.all(['a', 'b', 'c'].map(() => ensureKey(world.signing, 'org_1')));
    expect(await world.published()).toHaveLength(1);
  });

  it('signs at once, too, when it is made by a rotation: there is nobody to wait for', async () => {
    const world = aWorld();
    await world.rotate({ leadSeconds: 24 * hour });
    expect(await world.active()).toBeDefined();
  });

  it('is the organization’s own, as is its rotation', async () => {
    const world = aWorld();
    await ensureKey(world.signing, 'org_1');
    await ensureKey(world.signing, 'org_2');
    const before = await world.signing.keys.list('org_1');
    await rotateKeys(world.signing, 'org_2', { algorithm: 'ES256', leadSeconds: 0, overlapSeconds: 0 });
    expect(await world.signing.keys.list('org_1')).toEqual(before);
  });

  it('follows on keys that have all retired', async () => {
    const world = aWorld();
    world.signing.set({ retiredAt: world.clock.iso() });
    await ensureKey(world.signing, 'org_1');
    expect(await world.active()).toBeDefined();
  });
});

describe('a rotation', () => {
  it('publishes the new key before its first use, and keeps the old one for the overlap', async () => {
    const world = aWorld();
    const old = world.signing.set().kid;
    const next = await world.rotate({ leadSeconds: 2 * hour, overlapSeconds: hour });
    const seen: unknown[] = [];
    for (const atHour of [0, 1.999, 2, 2.999, 3]) {
      world.clock.passTo(testStartMs + atHour * hour * 1000);
      seen.push([atHour, await world.active(), await world.published()]);
    }
    expect(seen).toEqual([
      [0, old, [old, next]],
      [1.999, old, [old, next]],
      [2, next, [old, next]],
      [2.999, next, [old, next]],
      [3, next, [next]],
    ]);
  });

  // An administrator whose key has leaked asks for it: the old key must be gone, also for whoever reads it anew.
  it('in an emergency (0 and 0) ends the old key in the same moment', async () => {
    const world = aWorld();
    world.signing.set();
    const next = await world.rotate({ leadSeconds: 0, overlapSeconds: 0 });
    expect([await world.active(), await world.published()]).toEqual([next, [next]]);
  });

  it('in an emergency ends those, too, that an earlier rotation has left', async () => {
    const world = aWorld();
    world.signing.set();
    await world.rotate({ leadSeconds: hour, overlapSeconds: hour });
    world.clock.pass(1_000);
    const next = await world.rotate({ leadSeconds: 0, overlapSeconds: 0 });
    for (let hours = 0; hours < 4; hours += 1) {
      expect([await world.active(), await world.published()]).toEqual([next, [next]]);
      world.clock.pass(hour * 1000);
    }
  });

  it('takes another algorithm, and names each key by its thumbprint', async () => {
    const world = aWorld();
    world.signing.set();
    await world.rotate({ algorithm: 'RS256', leadSeconds: 0 });
    const keys = await world.signing.keys.list('org_1');
    expect(keys.map(({ algorithm, jwk }) => [algorithm, jwk.kty])).toEqual([
      ['ES256', 'EC'],
      ['RS256', 'RSA'],
    ]);
    for (const { kid, jwk } of keys) expect(kid).toBe(thumbprintOf(jwk));
  });

  it('never prolongs what an earlier one has ended', async () => {
    const world = aWorld();
    const old = world.signing.set().kid;
    await world.rotate({ leadSeconds: hour, overlapSeconds: 0 });
    await world.rotate({ leadSeconds: 2 * hour, overlapSeconds: 9 * hour });
    world.clock.pass(hour * 1000);
    expect(await world.published()).not.toContain(old);
  });

  it('gives all keys as they are now', async () => {
    const world = aWorld();
    world.signing.set({ retiredAt: world.clock.iso() });
    world.signing.set();
    const given = await rotateKeys(world.signing, 'org_1', aRotation());
    const byKid = (a: { kid: string }, b: { kid: string }) => a.kid.localeCompare(b.kid);
    expect(given.toSorted(byKid)).toEqual((await world.signing.keys.list('org_1')).toSorted(byKid));
  });

  it('that cannot be written changes nothing', async () => {
    const world = aWorld();
    world.signing.set();
    const before = await world.signing.keys.list('org_1');
    const rotate = () => Promise.reject(new Error('killed'));
    const crashing = { ...world.signing, keys: { ...world.signing.keys, rotate } };
    await expect(rotateKeys(crashing, 'org_1', aRotation())).rejects.toThrow('killed');
    expect(await world.signing.keys.list('org_1')).toEqual(before);
  });

  it('at the same moment as another is refused, and leaves no key behind: one new key, not two', async () => {
    const world = aWorld();
    const old = world.signing.set().kid;
    const both = await Promise.allSettled(
      ['a', 'b'].map(() => rotateKeys(world.signing, 'org_1', aRotation())),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { status: 409, code: 'changed_meanwhile' },
    });
    expect(await world.published()).toHaveLength(2);
    expect(await world.active()).toBe(old);
  });

  // Both found nothing to end, so neither met the other: two keys were in use, and one of them for ever.
  it('at the same moment as another, both of them the first, makes one key', async () => {
    const world = aWorld();
    const both = await Promise.allSettled(
      ['a', 'b'].map(() => rotateKeys(world.signing, 'org_1', aRotation())),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await world.published()).toHaveLength(1);
  });

  // KMS takes no token, so that of two who begin at once both may go on with the key that one of them has made.
  it('at the same moment as another, with the same new key, is refused as well', async () => {
    const world = aWorld();
    world.signing.set();
    const begun = world.signing.createKey('org_1', 'ES256', []);
    const ports = { ...world.signing, createKey: () => begun };
    const both = await Promise.allSettled([
      rotateKeys(ports, 'org_1', aRotation()),
      rotateKeys(ports, 'org_1', aRotation({ leadSeconds: 0 })),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const made = (await world.signing.keys.list('org_1')).at(-1);
    expect(made?.activeFrom).toBe(isoTime(testStartMs + hour * 1000));
  });

  it('whose key KMS cannot make changes nothing', async () => {
    const world = aWorld();
    world.signing.set();
    const before = await world.signing.keys.list('org_1');
    const createKey = () => Promise.reject(new Error('KMS is away'));
    await expect(rotateKeys({ ...world.signing, createKey }, 'org_1', aRotation())).rejects.toThrow('KMS');
    expect(await world.signing.keys.list('org_1')).toEqual(before);
  });
});

describe('while 20 keys are published', () => {
  const aFullWorld = async () => {
    const world = aWorld();
    for (let count = 0; count < 20; count += 1) {
      await world.rotate({ leadSeconds: 10, overlapSeconds: 24 * hour });
      world.clock.pass(60_000);
    }
    return world;
  };

  it('a rotation is refused, makes no key, and says when there is room, and what can be done', async () => {
    const world = await aFullWorld();
    const made = world.signing.made.length;
    await expect(world.rotate({ leadSeconds: 0, overlapSeconds: 1 })).rejects.toMatchObject({
      status: 409,
      code: 'too_many_keys',
      message:
        '20 keys are published, and each costs a dollar a month. Rotate when one has retired, the first of them at ' +
        '2026-11-24T10:01:10.000Z, and from then on less often or with a shorter overlap. ' +
        'With leadSeconds 0 and overlapSeconds 0 all of them end at once.',
    });
    expect(world.signing.made).toHaveLength(made);
  });

  it('one in an emergency ends them all', async () => {
    const world = await aFullWorld();
    const next = await world.rotate({ leadSeconds: 0, overlapSeconds: 0 });
    expect([await world.active(), await world.published()]).toEqual([next, [next]]);
    await world.rotate();
    expect(await world.published()).toHaveLength(2);
  });

  it('there is room again when one has retired', async () => {
    const world = await aFullWorld();
    world.clock.passTo(Date.parse('2026-11-24T10:01:10.000Z'));
    await world.rotate();
    expect(await world.published()).toHaveLength(20);
  });
});

describe('rotations one upon another', () => {
  const hours = fc.integer({ min: 0, max: 12 });
  const rotations = fc.array(fc.record({ afterHours: hours, leadHours: hours, overlapHours: hours }), {
    minLength: 1,
    maxLength: 5,
  });

  it('always leave a key that signs, and whose public half is published', async () => {
    await fc.assert(
      fc.asyncProperty(rotations, async (all) => {
        for (const { active, published } of await historyOf(all)) {
          expect(active).toBeDefined();
          expect(published).toContain(active);
        }
      }),
      { numRuns: 50 },
    );
  });

  // A receiver that keeps the set for the overlap would refuse what was signed with such a key.
  it('never unpublish a key sooner after its last use than the shortest overlap', async () => {
    await fc.assert(
      fc.asyncProperty(rotations, async (all) => {
        const shortest = Math.min(...all.map(({ overlapHours }) => overlapHours));
        const history = await historyOf(all);
        for (const [hour, { active }] of history.entries()) {
          const until = history.slice(hour, hour + shortest + 1);
          expect(until.every(({ published }) => published.includes(active ?? ''))).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  // The second was asked for in a hurry; the first had a week to go, and took its key back into use for its last hour.
  it('never go back to an older key', async () => {
    const world = aWorld();
    world.signing.set();
    await world.rotate({ leadSeconds: 24 * hour, overlapSeconds: 24 * hour });
    world.clock.pass(hour * 1000);
    const newest = await world.rotate({ leadSeconds: 0, overlapSeconds: 24 * hour });
    const seen = new Set<string | undefined>();
    for (let passed = 0; passed < 48; passed += 1) {
      seen.add(await world.active());
      world.clock.pass(hour * 1000);
    }
    expect([...seen]).toEqual([newest]);
  });
});

describe('at the same moment, in whatever order their steps come,', () => {
  const hours = fc.integer({ min: 0, max: 2 });
  const rotation = fc
    .record({ lead: hours, overlap: hours })
    .map(({ lead, overlap }) => aRotation({ leadSeconds: lead * hour, overlapSeconds: overlap * hour }));

  // The second ended the first one's new key, failed on the old one, and took its own away: nothing signed after that.
  it('two rotations leave a newest key without an end, and who is told so has changed nothing', async () => {
    const drawn = fc.record({
      ...{ scheduler: fc.scheduler(), before: fc.array(rotation, { maxLength: 2 }) },
      ...{ both: fc.tuple(rotation, rotation), haveSameKey: fc.boolean() },
    });
    await fc.assert(
      fc.asyncProperty(drawn, async ({ scheduler, before, both, haveSameKey }) => {
        const world = aWorld();
        for (const one of before) {
          await world.rotate(one);
          world.clock.pass(1);
        }
        const known = await world.signing.keys.list('org_1');
        const ports = inTurns(haveSameKey ? withOneKey(world.signing) : world.signing, scheduler);
        const ended = await scheduler.waitFor(
          Promise.allSettled(both.map((one) => rotateKeys(ports, 'org_1', one))),
        );
        const [made, refused] = [ended.filter(isMade), ended.filter((one) => !isMade(one))];
        for (const one of refused) expect(one).toMatchObject({ reason: { code: 'changed_meanwhile' } });
        const after = await world.signing.keys.list('org_1');
        expect(after).toHaveLength(known.length + made.length);
        expect(made.length).toBeGreaterThan(0);
        expect(made.some(({ value }) => isDeepStrictEqual(kidsOf(value), kidsOf(after)))).toBe(true);
        expect(after.filter(({ retiredAt }) => retiredAt === undefined)).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });

  // Who looks twice finds the first one's key the second time, and would have ended it.
  it('those who want a first key are all content with one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const world = aWorld();
        const ports = inTurns(world.signing, scheduler);
        await scheduler.waitFor(Promise.all(['a', 'b', 'c'].map(() => ensureKey(ports, 'org_1'))));
        expect(await world.signing.keys.list('org_1')).toMatchObject([{ kid: await world.active() }]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the routes of signing keys', () => {
  it('show the youngest key first, with its state, and never the name that KMS has for it', async () => {
    const service = aService();
    service.configuration.setOrganization(anOrganization());
    const old = service.signing.set();
    const answer = await service.ask({ method: 'POST', path: `${path}/rotate`, body: { leadSeconds: 60 } });
    expect(answer.statusCode).toBe(201);
    const listed = await service.ask({ path });
    expect(JSON.parse(listed.body)).toEqual(JSON.parse(answer.body));
    expect(JSON.parse(listed.body)).toMatchObject({
      data: [{ state: 'pending' }, { kid: old.kid, state: 'active' }],
      nextCursor: null,
    });
    for (const keyId of service.signing.made) expect(listed.body).not.toContain(keyId);
  });

  it.each<[object, string]>([
    [{ algorithm: 'HS256' }, 'algorithm'],
    [{ algorithm: 'none' }, 'algorithm'],
    [{ leadSeconds: -1 }, 'leadSeconds'],
    [{ leadSeconds: 604_801 }, 'leadSeconds'],
    [{ overlapSeconds: 0.5 }, 'overlapSeconds'],
    [{ overlapSeconds: 604_801 }, 'overlapSeconds'],
  ])('refuse %j, and make no key', async (body, field) => {
    const service = aService();
    service.configuration.setOrganization(anOrganization());
    const answer = await service.ask({ method: 'POST', path: `${path}/rotate`, body });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: 'invalid_request', field });
    expect(service.signing.made).toEqual([]);
  });

  it('are not rotated by who has said what he has seen, when somebody rotates them while he does', async () => {
    const service = aService();
    const { configuration, signing } = service;
    configuration.setOrganization(anOrganization());
    signing.set();
    const etag = String((await service.ask({ path })).headers['etag']);
    const { list } = signing.keys;
    const listThenRotate: typeof list = async (organizationId) => {
      const keys = await list(organizationId);
      Object.assign(signing.keys, { list });
      await rotateKeys(signing, organizationId, aRotation());
      return keys;
    };
    Object.assign(signing.keys, { list: listThenRotate });
    const answer = await service.ask({ method: 'POST', path: `${path}/rotate`, ifMatch: etag });
    expect(JSON.parse(answer.body)).toMatchObject({ status: 412, code: 'changed_meanwhile' });
    expect(await list('org_1')).toHaveLength(2);
  });

  it('give the key set to anybody, who may keep it for five minutes', async () => {
    const service = aService();
    const { kid } = service.signing.set();
    const wish = { path: '/v1/organizations/org_1/.well-known/jwks.json', claims: null };
    const answer = await service.ask({ ...wish, query: { cache: 'no' } });
    expect(JSON.parse(answer.body)).toMatchObject({ keys: [{ kid }] });
    expect(answer.headers).toMatchObject({ 'cache-control': 'public, max-age=300' });
  });

  it('give the same answer, which nobody may keep, for an organization without keys as for none', async () => {
    const service = aService();
    service.configuration.setOrganization(anOrganization());
    const ask = (id: string) =>
      service.ask({ path: `/v1/organizations/${id}/.well-known/jwks.json`, claims: null });
    const without = await ask('org_1');
    expect(without).toMatchObject({ statusCode: 404, headers: { 'cache-control': 'no-store' } });
    expect(await ask('org_2')).toEqual(without);
  });

  it('of which no other is open to nobody', async () => {
    const service = aService();
    service.configuration.setOrganization(anOrganization());
    expect(await service.ask({ path, claims: null })).toMatchObject({ statusCode: 401 });
  });
});

function aWorld() {
  const clock = aClock();
  const signing = aSigning(clock.now);
  const list = () => signing.keys.list('org_1');
  return {
    clock,
    signing,
    /** Gives the new key's kid. */
    rotate: async (given: Partial<Rotation> = {}) => {
      const before = new Set((await list()).map(({ kid }) => kid));
      const after = await rotateKeys(signing, 'org_1', aRotation(given));
      return after.map(({ kid }) => kid).find((kid) => !before.has(kid));
    },
    active: async () => activeKey(await list(), clock.now())?.kid,
    published: async () => keySetOf(await list(), clock.now()).keys.map(({ kid }) => kid),
  };
}

/** The same ports, each call of which waits until the scheduler lets it go on. */
function inTurns({ keys, createKey, now }: KeyPorts, scheduler: fc.Scheduler): KeyPorts {
  return {
    keys: {
      list: scheduler.scheduleFunction(keys.list),
      newestKid: scheduler.scheduleFunction(keys.newestKid),
      rotate: scheduler.scheduleFunction(keys.rotate),
    },
    createKey: scheduler.scheduleFunction(createKey),
    now,
  };
}

/** All are given the same new key as long as nobody has it in use (create-key.ts). */
function withOneKey(ports: KeyPorts): KeyPorts {
  let begun = ports.createKey('org_1', 'ES256', []);
  const createKey: KeyPorts['createKey'] = async (organizationId, algorithm, used) => {
    if (used.includes((await begun).keyId)) begun = ports.createKey(organizationId, algorithm, used);
    return begun;
  };
  return { ...ports, createKey };
}

function isMade<Value>(ended: PromiseSettledResult<Value>): ended is PromiseFulfilledResult<Value> {
  return ended.status === 'fulfilled';
}

function kidsOf(keys: readonly SigningKey[]): string[] {
  return keys.map(({ kid }) => kid).toSorted();
}

function aRotation(given: Partial<Rotation> = {}): Rotation {
  return { algorithm: 'ES256', leadSeconds: hour, overlapSeconds: hour, ...given };
}

interface Step {
  readonly afterHours: number;
  readonly leadHours: number;
  readonly overlapHours: number;
}

/** What signs and what is published, hour by hour, until all rotations are over. */
async function historyOf(rotations: readonly Step[]) {
  const world = aWorld();
  world.signing.set();
  const history: { active: string | undefined; published: string[] }[] = [];
  const live = async (hours: number) => {
    for (let lived = 0; lived < hours; lived += 1) {
      history.push({ active: await world.active(), published: await world.published() });
      world.clock.pass(hour * 1000);
    }
  };
  for (const { afterHours, leadHours, overlapHours } of rotations) {
    await live(afterHours);
    await world.rotate({ leadSeconds: leadHours * hour, overlapSeconds: overlapHours * hour });
    // No two keys are of the same millisecond.
    world.clock.pass(1);
  }
  await live(40);
  return history;
}
