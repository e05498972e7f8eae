import { describe, expect, it } from 'vitest';
import { destroyOrphans } from '../../../lambdas/signing/destroy-orphans.ts';
import type { OrphanPorts } from '../../../lambdas/signing/destroy-orphans.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { memoryLog } from '../../fakes/log.ts';
import { aSigning } from './a-signing.ts';

const dayMs = 86_400_000;

describe('a key of KMS that no item names', () => {
  it('is destroyed once it is a day old; those that are named stay, of all organizations', async () => {
    const { ports, clock, destroyed, signing } = aWorld();
    signing.set();
    signing.set({ organizationId: 'org_2', retiredAt: isoTime(testStartMs) });
    const orphans = [
      await signing.createKey('org_1', 'ES256', []),
      await signing.createKey('org_2', 'RS256', []),
    ].map(({ keyId }) => keyId);
    clock.pass(dayMs - 1);
    await destroyOrphans(ports);
    expect(destroyed).toEqual([]);
    clock.pass(1);
    await destroyOrphans(ports);
    expect(destroyed).toEqual(orphans);
  });

  it('is destroyed once, though it is found until it has gone', async () => {
    const { ports, clock, destroyed, signing } = aWorld();
    const { keyId } = await signing.createKey('org_1', 'ES256', []);
    clock.pass(dayMs);
    await destroyOrphans(ports);
    await destroyOrphans(ports);
    expect(destroyed).toEqual([keyId]);
  });

  it('stays when it is written down while its tags are being read', async () => {
    const { ports, clock, destroyed, signing } = aWorld();
    const listTagged = async () => {
      const tagged = await signing.listTagged();
      signing.set(orphan);
      return tagged;
    };
    const orphan = await signing.createKey('org_1', 'ES256', []);
    clock.pass(dayMs);
    await destroyOrphans({ ...ports, listTagged });
    expect(destroyed).toEqual([]);
  });

  it('stays when it is older than its organization, or belongs to none: a table of before may know it', async () => {
    const { ports, clock, destroyed, signing } = aWorld();
    await signing.createKey('org_1', 'ES256', []);
    await signing.createKey('org_gone', 'ES256', []);
    clock.pass(dayMs);
    const registeredAnew = anOrganization({ createdAt: isoTime(testStartMs + 1) });
    const getOrganization = (id: string) => Promise.resolve(id === 'org_1' ? registeredAnew : undefined);
    await destroyOrphans({ ...ports, getOrganization });
    expect(destroyed).toEqual([]);
  });

  it('is no hindrance when it has gone meanwhile', async () => {
    const { ports, clock, destroyed, signing } = aWorld();
    await signing.createKey('org_1', 'ES256', []);
    const { keyId } = await signing.createKey('org_2', 'ES256', []);
    clock.pass(dayMs);
    const lookUp = async (id: string) => (id === keyId ? signing.lookUp(id) : undefined);
    await destroyOrphans({ ...ports, lookUp });
    expect(destroyed).toEqual([keyId]);
  });

  it('leaves a line with its id, by which the deletion can be cancelled', async () => {
    const { ports, clock, lines, signing } = aWorld();
    const { keyId } = await signing.createKey('org_1', 'ES256', []);
    clock.pass(dayMs);
    await destroyOrphans(ports);
    expect(lines).toEqual([
      { message: 'signing_key.orphan_destroyed', fields: { organizationId: 'org_1', keyId } },
    ]);
  });
});

function aWorld() {
  const clock = aClock();
  const signing = aSigning(clock.now);
  const { log, lines } = memoryLog();
  const destroyed: string[] = [];
  const ports: OrphanPorts = {
    listTagged: signing.listTagged,
    lookUp: signing.lookUp,
    listNamed: signing.keys.list,
    getOrganization: (id) => Promise.resolve(anOrganization({ id, createdAt: isoTime(testStartMs) })),
    scheduleKeyDeletion: (keyId) => {
      destroyed.push(keyId);
      return signing.scheduleKeyDeletion(keyId);
    },
    now: clock.now,
    log,
  };
  return { ports, clock, destroyed, lines, signing };
}
