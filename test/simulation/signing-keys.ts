import { createECDH, createHash, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { SignDigest } from '../../lambdas/signing/jwt.ts';
import type { KeyPorts } from '../../lambdas/signing/rotate-keys.ts';
import type { PublicJwk } from '../../lambdas/signing/signing-key.ts';

export interface SimulatedKms {
  readonly createKey: KeyPorts['createKey'];
  readonly signDigest: SignDigest;
  /** The public half of the key that goes by this id. */
  readonly publicKeyOf: (keyId: string) => KeyObject;
}

/** Signing keys in KMS, the same ones in every run. */
export function simulatedKms(): SimulatedKms {
  let made = 0;
  return {
    createKey: () => {
      const keyId = `key-${(made += 1)}`;
      return Promise.resolve({ keyId, jwk: pairOf(keyId).jwk });
    },
    signDigest: ({ keyId }, digest) => Promise.resolve(pairOf(keyId).sign(digest)),
    publicKeyOf: (keyId) => pairOf(keyId).publicKey,
  };
}

interface Pair {
  readonly publicKey: KeyObject;
  readonly jwk: PublicJwk;
  /** As JOSE writes it. */
  readonly sign: (digest: Uint8Array) => Uint8Array;
}

const pairs = new Map<string, Pair>();

/** The pair of keys that a name stands for, made once in a process. */
function pairOf(name: string): Pair {
  const there = pairs.get(name);
  if (there !== undefined) return there;
  const { x, y } = pointOf(hashOf(name));
  const jwk = { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') } as const;
  const made = {
    publicKey: createPublicKey({ key: jwk, format: 'jwk' }),
    jwk,
    sign: signerOf(toInteger(hashOf(name))),
  };
  pairs.set(name, made);
  return made;
}

const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

/**
 * ECDSA on P-256 with one nonce for all signatures, which would give a real key away: here it makes them cost three
 * multiplications, and the same in every run (FIPS 186-4, 6.4).
 */
function signerOf(d: bigint) {
  const nonce = hashOf('nonce');
  const r = toInteger(pointOf(nonce).x) % order;
  const inverse = power(toInteger(nonce), order - 2n);
  return (digest: Uint8Array): Uint8Array => {
    const s = (inverse * (toInteger(digest) + r * d)) % order;
    return Buffer.from(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'), 'hex');
  };
}

function pointOf(privateKey: Buffer): { x: Buffer; y: Buffer } {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(privateKey);
  // Uncompressed: a byte 4, then x and y.
  const point = ecdh.getPublicKey();
  return { x: point.subarray(1, 33), y: point.subarray(33) };
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let [square, left] = [base % order, exponent]; left > 0n; left >>= 1n) {
    if (left % 2n === 1n) result = (result * square) % order;
    square = (square * square) % order;
  }
  return result;
}

function hashOf(name: string): Buffer {
  return createHash('sha256').update(name).digest();
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}
