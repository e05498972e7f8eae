import { constants, createECDH, createHash, type KeyObject, privateEncrypt, randomBytes } from 'node:crypto';

import { digestBytes, type Hash, type SigningScheme } from './kms-specs.ts';

/**
 * Signs a digest. node:crypto only signs what it has hashed itself, while KMS takes digests, so the last step of each
 * scheme is done here. In a stand-in only: none of it takes constant time.
 */
export function signDigest(privateKey: KeyObject, digest: Buffer, scheme: SigningScheme): Buffer {
  switch (scheme.kind) {
    case 'ecdsa':
      return signEcdsa(privateKey, digest);
    case 'rsa-pss':
      return signPss(privateKey, digest, scheme.hash);
    case 'rsa-pkcs1': {
      const encoded = Buffer.concat([digestInfoPrefixes[scheme.hash], digest]);
      return privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, encoded);
    }
  }
}

/** Name in OpenSSL and order of the group. Source: FIPS 186-4, D.1.2. */
const curves: Record<string, { name: string; order: bigint }> = {
  'P-256': {
    name: 'prime256v1',
    order: BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  },
  'P-384': {
    name: 'secp384r1',
    order: BigInt(
      '0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    ),
  },
  'P-521': {
    name: 'secp521r1',
    order: BigInt(
      '0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
    ),
  },
};

/** FIPS 186-4, 6.4. The point `k·G` is an ECDH key pair's public half; the rest is arithmetic modulo the group's order. */
function signEcdsa(privateKey: KeyObject, digest: Buffer): Buffer {
  const { d = '', crv = '' } = privateKey.export({ format: 'jwk' });
  const curve = curves[crv];
  if (curve === undefined) throw new Error(`No curve ${crv}.`);
  const { name, order } = curve;
  const ecdh = createECDH(name);
  const point = ecdh.generateKeys();
  const k = toInteger(ecdh.getPrivateKey());
  // An uncompressed point: a byte 4, then x and y.
  const r = toInteger(point.subarray(1, 1 + (point.length - 1) / 2)) % order;
  const s = (inverse(k, order) * (toInteger(digest) + r * toInteger(Buffer.from(d, 'base64url')))) % order;
  return r === 0n || s === 0n ? signEcdsa(privateKey, digest) : derSequence([r, s]);
}

/** The ASN.1 prefix of each digest. Source: RFC 8017, 9.2, note 1. */
const digestInfoPrefixes: Record<Hash, Buffer> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};

/** EMSA-PSS with a salt as long as the digest, which is what KMS uses. Source: RFC 8017, 9.1.1. */
function signPss(privateKey: KeyObject, digest: Buffer, hash: Hash): Buffer {
  const bytes = (privateKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const salt = randomBytes(digestBytes(hash));
  const fingerprint = createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();
  const block = Buffer.alloc(bytes - fingerprint.length - 1);
  block[block.length - salt.length - 1] = 1;
  salt.copy(block, block.length - salt.length);
  const mask = mask1(fingerprint, { bytes: block.length, hash });
  for (const [index, byte] of mask.entries()) block[index] = (block[index] ?? 0) ^ byte;
  // The encoded message has one bit less than the modulus.
  block[0] = (block[0] ?? 0) & 0x7f;
  const encoded = Buffer.concat([block, fingerprint, Buffer.of(0xbc)]);
  return privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, encoded);
}

/** MGF1. Source: RFC 8017, B.2.1. */
function mask1(seed: Buffer, { bytes, hash }: { bytes: number; hash: Hash }): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0; counter * digestBytes(hash) < bytes; counter++) {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    blocks.push(createHash(hash).update(seed).update(count).digest());
  }
  return Buffer.concat(blocks).subarray(0, bytes);
}

/** DER of a sequence of positive integers: how KMS answers an ECDSA signature. */
function derSequence(integers: bigint[]): Buffer {
  const body = Buffer.concat(
    integers.map((integer) => {
      const hex = integer.toString(16);
      const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
      // A first bit of one would make it negative.
      return derOf(0x02, (bytes[0] ?? 0) > 0x7f ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
    }),
  );
  return derOf(0x30, body);
}

function derOf(tag: number, body: Buffer): Buffer {
  const length = body.length < 0x80 ? Buffer.of(body.length) : Buffer.of(0x81, body.length);
  return Buffer.concat([Buffer.of(tag), length, body]);
}

/** By Euclid's extended algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [remainder, next] = [modulus, value % modulus];
  let [coefficient, nextCoefficient] = [0n, 1n];
  while (next !== 0n) {
    const quotient = remainder / next;
    [remainder, next] = [next, remainder - quotient * next];
    [coefficient, nextCoefficient] = [nextCoefficient, coefficient - quotient * nextCoefficient];
  }
  return coefficient < 0n ? coefficient + modulus : coefficient;
}

function toInteger(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}
