import { z } from 'zod';

/** What the stand-in knows of KMS keys: their kinds, and what each can sign with. */
export type SigningScheme =
  { kind: 'ecdsa'; hash: Hash } | { kind: 'rsa-pss'; hash: Hash } | { kind: 'rsa-pkcs1'; hash: Hash };

export type Hash = 'sha256' | 'sha384' | 'sha512';

export type KeyKind =
  { kind: 'ec'; curve: string } | { kind: 'rsa'; modulusBits: number } | { kind: 'symmetric' };

/** Kinds of keys; what is not here is refused, as is Ed25519, whose two algorithms nothing of ours uses. */
export const keySpec = z.enum([
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'SYMMETRIC_DEFAULT',
]);
export type KeySpec = z.output<typeof keySpec>;

export const keySpecs: Record<KeySpec, KeyKind> = {
  ECC_NIST_P256: { kind: 'ec', curve: 'P-256' },
  ECC_NIST_P384: { kind: 'ec', curve: 'P-384' },
  ECC_NIST_P521: { kind: 'ec', curve: 'P-521' },
  RSA_2048: { kind: 'rsa', modulusBits: 2048 },
  RSA_3072: { kind: 'rsa', modulusBits: 3072 },
  RSA_4096: { kind: 'rsa', modulusBits: 4096 },
  SYMMETRIC_DEFAULT: { kind: 'symmetric' },
};

const schemes: Record<string, SigningScheme> = {
  ECDSA_SHA_256: { kind: 'ecdsa', hash: 'sha256' },
  ECDSA_SHA_384: { kind: 'ecdsa', hash: 'sha384' },
  ECDSA_SHA_512: { kind: 'ecdsa', hash: 'sha512' },
  RSASSA_PSS_SHA_256: { kind: 'rsa-pss', hash: 'sha256' },
  RSASSA_PSS_SHA_384: { kind: 'rsa-pss', hash: 'sha384' },
  RSASSA_PSS_SHA_512: { kind: 'rsa-pss', hash: 'sha512' },
  RSASSA_PKCS1_V1_5_SHA_256: { kind: 'rsa-pkcs1', hash: 'sha256' },
  RSASSA_PKCS1_V1_5_SHA_384: { kind: 'rsa-pkcs1', hash: 'sha384' },
  RSASSA_PKCS1_V1_5_SHA_512: { kind: 'rsa-pkcs1', hash: 'sha512' },
};

/** KMS: an EC key signs with the one hash of its curve's size, an RSA key with any. */
const algorithmsOfSpec: Record<KeySpec, string[]> = {
  ECC_NIST_P256: ['ECDSA_SHA_256'],
  ECC_NIST_P384: ['ECDSA_SHA_384'],
  ECC_NIST_P521: ['ECDSA_SHA_512'],
  RSA_2048: Object.keys(schemes).filter((name) => name.startsWith('RSASSA')),
  RSA_3072: Object.keys(schemes).filter((name) => name.startsWith('RSASSA')),
  RSA_4096: Object.keys(schemes).filter((name) => name.startsWith('RSASSA')),
  SYMMETRIC_DEFAULT: [],
};

export function signingAlgorithms(spec: KeySpec): string[] {
  return algorithmsOfSpec[spec];
}

/** The scheme of that name, if the key can sign with it. */
export function signingScheme(spec: KeySpec, algorithm: string): SigningScheme | undefined {
  return algorithmsOfSpec[spec].includes(algorithm) ? schemes[algorithm] : undefined;
}

export function digestBytes(hash: Hash): number {
  switch (hash) {
    case 'sha256':
      return 32;
    case 'sha384':
      return 48;
    case 'sha512':
      return 64;
  }
}
