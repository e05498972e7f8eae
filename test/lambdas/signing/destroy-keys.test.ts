import { describe, expect, it } from 'vitest';
import { destroyRetiredKeys } from '../../../lambdas/signing/destroy-keys.ts';
import type { DestroyPorts } from '../../../lambdas/signing/destroy-keys.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { memoryLog } from '../../fakes/log.ts';
import { aSigning } from './a-signing.ts';

const earlier = isoTime(testStartMs - 1);

describe('keys that have retired', () => {
  it('are destroyed and forgotten, of all organizations; those in use and on their way out stay', async () => {
    const { ports, destroyed, signing } = aWorld();
    const kept = [signing.set(), signing.set({ retiredAt: isoTime(testStartMs + 1) })];
    const gone = [
      signing.set({ retiredAt: earlier }),
      signing.set({ retiredAt: earlier, organizationId: 'org_2' }),
    ];
    await destroyRetiredKeys(ports);
    expect(destroyed).toEqual(gone.map(({ keyId }) => keyId));
    expect(await signing.keys.list('org_1')).toEqual(kept);
    expect(await signing.keys.list('org_2')).toEqual([]);
  });

  it('are not forgotten before KMS has been asked to destroy them, so that none costs for ever', async () => {
    const { ports, destroyed, signing } = aWorld();
    const key = signing.set({ retiredAt: earlier });
    const away = { ...ports, scheduleKeyDeletion: () => Promise.reject(new Error('KMS is away')) };
    await expect(destroyRetiredKeys(away)).rejects.toThrow('KMS is away');
    expect(await signing.keys.list('org_1')).toEqual([key]);
    await destroyRetiredKeys(ports);
    expect(destroyed).toEqual([key.keyId]);
  });

  it('are asked for again after a crash in between, and forgotten then', async () => {
    const { ports, destroyed, signing } = aWorld();
    const { keyId } = signing.set({ retiredAt: earlier });
    const remove = () => Promise.reject(new Error('killed'));
    await expect(destroyRetiredKeys({ ...ports, keys: { ...ports.keys, remove } })).rejects.toThrow('killed');
    await destroyRetiredKeys(ports);
    expect(destroyed).toEqual([keyId, keyId]);
    expect(await signing.keys.list('org_1')).toEqual([]);
  });

  it('leave one line each, by their public names alone', async () => {
    const { ports, lines, signing } = aWorld();
    const { kid } = signing.set({ retiredAt: earlier });
    await destroyRetiredKeys(ports);
    expect(lines).toEqual([{ message: 'signing_key.destroyed', fields: { organizationId: 'org_1', kid } }]);
  });
});

function aWorld() {
  const { now } = aClock();
  const signing = aSigning(now);
  const { log, lines } = memoryLog();
  const destroyed: string[] = [];
  const scheduleKeyDeletion = (keyId: string) => {
    destroyed.push(keyId);
    return signing.scheduleKeyDeletion(keyId);
  };
  const ports: DestroyPorts = { keys: signing.keys, scheduleKeyDeletion, now, log };
  return { ports, destroyed, lines, signing };
}
