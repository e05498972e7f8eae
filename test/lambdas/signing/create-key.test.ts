import { expect, it } from 'vitest';
import { makeCreateKey } from '../../../lambdas/signing/create-key.ts';
import type { BegunKey, CreateKeyPorts } from '../../../lambdas/signing/create-key.ts';
import { aClock } from '../../fakes/clock.ts';

const jwk = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } as const;

/** KMS, whose public keys cannot be read for some calls. */
function aKms({ refusals = 0, unknownFor = 0 } = {}) {
  const made: string[] = [];
  const begun = new Map<string, BegunKey>();
  const clock = aClock();
  const gone = new Set<string>();
  const pausesMs: number[] = [];
  let [refusalsLeft, unknownLeft] = [refusals, unknownFor];
  const ports: CreateKeyPorts = {
    begun: {
      find: (id, algorithm) => Promise.resolve(begun.get(`${id} ${algorithm}`)),
      keep: (id, algorithm, key) => {
        begun.set(`${id} ${algorithm}`, key);
        return Promise.resolve();
      },
    },
    make: () => {
      made.push(`key-${made.length + 1}`);
      return Promise.resolve(made.at(-1) ?? '');
    },
    readPublicKey: (keyId) => {
      if ((refusalsLeft -= 1) >= 0) return Promise.reject(new Error('not authorized'));
      if ((unknownLeft -= 1) >= 0 || gone.has(keyId)) return Promise.resolve(undefined);
      return Promise.resolve(jwk);
    },
    pause: (ms) => {
      pausesMs.push(ms);
      return Promise.resolve();
    },
    now: clock.now,
  };
  return { clock, made, gone, pausesMs, createKey: makeCreateKey(ports) };
}

it('a key whose public half cannot be read is the one that the next try goes on with', async () => {
  const { made, createKey } = aKms({ refusals: 3 });
  for (let tries = 0; tries < 3; tries += 1) {
    await expect(createKey('org_1', 'ES256', [])).rejects.toThrow('not authorized');
  }
  expect(await createKey('org_1', 'ES256', [])).toEqual({ keyId: 'key-1', jwk });
  expect(made).toEqual(['key-1']);
});

it('each organization has its own, and each algorithm', async () => {
  const { createKey } = aKms({ refusals: 1 });
  await expect(createKey('org_1', 'ES256', [])).rejects.toThrow();
  expect((await createKey('org_2', 'ES256', [])).keyId).toBe('key-2');
  expect((await createKey('org_1', 'RS256', [])).keyId).toBe('key-3');
});

it('a key that is in use already is never given out again', async () => {
  const { createKey } = aKms();
  const { keyId } = await createKey('org_1', 'ES256', []);
  expect((await createKey('org_1', 'ES256', [keyId])).keyId).toBe('key-2');
});

it('one that has been destroyed meanwhile is made anew', async () => {
  const { gone, createKey } = aKms({ refusals: 1 });
  await expect(createKey('org_1', 'ES256', [])).rejects.toThrow();
  gone.add('key-1');
  expect((await createKey('org_1', 'ES256', [])).keyId).toBe('key-2');
});

it('a key that KMS has just made and does not know yet is asked for again, for a few seconds', async () => {
  const { made, pausesMs, createKey } = aKms({ unknownFor: 3 });
  expect((await createKey('org_1', 'ES256', [])).keyId).toBe('key-1');
  expect(pausesMs).toEqual([250, 500, 1000]);
  expect(made).toEqual(['key-1']);
});

it('and not for ever: the next try goes on with it', async () => {
  const { made, createKey } = aKms({ unknownFor: 4 });
  await expect(createKey('org_1', 'ES256', [])).rejects.toThrow('does not know');
  expect((await createKey('org_1', 'ES256', [])).keyId).toBe('key-1');
  expect(made).toEqual(['key-1']);
});

// The daily function destroys what nobody knows of after a day; it may have looked just before.
it('one that has grown old is left to the daily function', async () => {
  const { clock, createKey } = aKms({ refusals: 1 });
  await expect(createKey('org_1', 'ES256', [])).rejects.toThrow();
  clock.pass(12 * 3_600_000);
  expect((await createKey('org_1', 'ES256', [])).keyId).toBe('key-2');
});
