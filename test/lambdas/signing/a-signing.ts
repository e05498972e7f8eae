import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { DestroyPorts } from '../../../lambdas/signing/destroy-keys.ts';
import type { OrphanPorts } from '../../../lambdas/signing/destroy-orphans.ts';
import { rawSignature } from '../../../lambdas/signing/der.ts';
import type { SignDigest } from '../../../lambdas/signing/jwt.ts';
import type { KeyPorts, RotatedKeys } from '../../../lambdas/signing/rotate-keys.ts';
import { publicJwk, thumbprintOf } from '../../../lambdas/signing/signing-key.ts';
import type { KeyAlgorithm, SigningKey } from '../../../lambdas/signing/signing-key.ts';
import { signDigest as signAsKms } from '../../../local/aws/kms-signature.ts';
import { soon } from '../../fakes/soon.ts';

const at = '2026-11-01T00:00:00.000Z';

export interface MemorySigning extends KeyPorts {
  readonly keys: KeyPorts['keys'] & DestroyPorts['keys'];
  readonly signDigest: SignDigest;
  /** A key of `org_1` that has long been in use, unless it says otherwise. */
  readonly set: (given?: Partial<SigningKey>) => SigningKey;
  /** Ids of the keys that KMS has, the oldest first. */
  readonly made: string[];
  readonly scheduleKeyDeletion: (keyId: string) => Promise<void>;
  readonly listTagged: OrphanPorts['listTagged'];
  readonly lookUp: OrphanPorts['lookUp'];
}

/** The table of signing keys and KMS in memory. A key that KMS does not have, or has destroyed, signs nothing. */
export function aSigning(now: () => number): MemorySigning {
  const stored = new Map<string, SigningKey>();
  const newest = new Map<string, string>();
  const privateKeys = new Map<string, KeyObject>();
  const tagged = new Map<string, { organizationId: string; madeAtMs: number }>();
  const made: string[] = [];
  const all = () => structuredClone([...stored.values()]);
  const make = (algorithm: KeyAlgorithm, organizationId = 'org_1') => {
    const { privateKey, publicKey } = newPair(algorithm);
    const keyId = randomUUID();
    privateKeys.set(keyId, privateKey);
    tagged.set(keyId, { organizationId, madeAtMs: now() });
    made.push(keyId);
    return { keyId, jwk: publicJwk.parse(publicKey.export({ format: 'jwk' })) };
  };
  const nameOf = ({ organizationId, kid }: SigningKey) => `${organizationId} ${kid}`;
  const keep = (key: SigningKey) => void stored.set(nameOf(key), structuredClone(key));
  return {
    now,
    made,
    set: (given = {}) => {
      const { keyId, jwk } = make(given.algorithm ?? 'ES256', given.organizationId);
      const common = {
        organizationId: 'org_1',
        algorithm: 'ES256',
        publishedAt: at,
        activeFrom: at,
      } as const;
      const key = { ...common, kid: thumbprintOf(jwk), keyId, jwk, ...given };
      keep(key);
      return key;
    },
    keys: {
      list: (organizationId) => soon(() => all().filter((key) => key.organizationId === organizationId)),
      newestKid: (organizationId) => soon(() => newest.get(organizationId)),
      rotate: ({ made, ended, newestKid }) =>
        soon(() => {
          const { organizationId } = made;
          const isAsRead = ({ before }: RotatedKeys['ended'][number]) => {
            const there = stored.get(nameOf(before));
            return there !== undefined && there.retiredAt === before.retiredAt;
          };
          if (newest.get(organizationId) !== newestKid || stored.has(nameOf(made))) return false;
          if (!ended.every(isAsRead)) return false;
          for (const { after } of ended) keep(after);
          keep(made);
          newest.set(organizationId, made.kid);
          return true;
        }),
      listRetired: (before) =>
        soon(() => all().filter(({ retiredAt }) => retiredAt !== undefined && retiredAt < before)),
      remove: (key) => soon(() => void stored.delete(nameOf(key))),
    },
    createKey: (organizationId, algorithm) => soon(() => make(algorithm, organizationId)),
    signDigest: ({ keyId, algorithm }, digest) =>
      soon(() => {
        const privateKey = privateKeys.get(keyId);
        if (privateKey === undefined) throw new Error('there is no such key');
        const kind = algorithm === 'ES256' ? 'ecdsa' : 'rsa-pkcs1';
        const signature = signAsKms(privateKey, Buffer.from(digest), { kind, hash: 'sha256' });
        return algorithm === 'ES256' ? rawSignature(signature) : signature;
      }),
    scheduleKeyDeletion: (keyId) => soon(() => void privateKeys.delete(keyId)),
    listTagged: () =>
      soon(() => [...tagged].map(([keyId, { organizationId }]) => ({ keyId, organizationId }))),
    lookUp: (keyId) =>
      soon(() => {
        const madeAtMs = tagged.get(keyId)?.madeAtMs;
        return madeAtMs === undefined ? undefined : { madeAtMs, isEnabled: privateKeys.has(keyId) };
      }),
  };
}

function newPair(algorithm: KeyAlgorithm) {
  return algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2_048 });
}
