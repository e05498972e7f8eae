import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { rawSignature } from '../../lambdas/signing/der.ts';
import type { SignDigest } from '../../lambdas/signing/jwt.ts';
import { publicJwk, thumbprintOf } from '../../lambdas/signing/signing-key.ts';
import type { SigningKey } from '../../lambdas/signing/signing-key.ts';
import { signDigest as signAsKms } from '../../local/aws/kms-signature.ts';
import { soon } from './soon.ts';

export interface MemorySigningKeys {
  readSigningKeys: (organizationId: string) => Promise<readonly SigningKey[]>;
  signDigest: SignDigest;
  readonly issuer: string;
  /** Makes a key of an organization that signs at once, unless it says otherwise. */
  readonly make: (given?: Partial<SigningKey>) => SigningKey;
}

const at = '2026-11-01T00:00:00.000Z';

/** Signing keys on P-256 in memory. An organization has none until one is made; a key that is not there signs nothing. */
export function memorySigningKeys(): MemorySigningKeys {
  const keys: SigningKey[] = [];
  const privateKeys = new Map<string, KeyObject>();
  return {
    issuer: 'https://api.example.com',
    readSigningKeys: (organizationId) =>
      Promise.resolve(structuredClone(keys.filter((key) => key.organizationId === organizationId))),
    signDigest: ({ keyId }, digest) =>
      soon(() => {
        const privateKey = privateKeys.get(keyId);
        if (privateKey === undefined) throw new Error('there is no such key');
        return rawSignature(signAsKms(privateKey, Buffer.from(digest), { kind: 'ecdsa', hash: 'sha256' }));
      }),
    make: (given = {}) => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const jwk = publicJwk.parse(publicKey.export({ format: 'jwk' }));
      const ids = { organizationId: 'org_1', kid: thumbprintOf(jwk), keyId: randomUUID() };
      const key: SigningKey = { ...ids, algorithm: 'ES256', jwk, publishedAt: at, activeFrom: at, ...given };
      keys.push(key);
      privateKeys.set(key.keyId, privateKey);
      return key;
    },
  };
}
