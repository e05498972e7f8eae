import { constants, createHash, createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import type { KeySpec } from '../../../local/aws/kms-specs.ts';
import { Kms } from '../../../local/aws/kms.ts';
import { memoryShelf } from '../../../local/aws/shelf.ts';
import { aTestSetting } from './a-queue.ts';

const dayMs = 86_400_000;

async function aKey(spec: KeySpec = 'ECC_NIST_P256') {
  const setting = aTestSetting();
  const kms = await Kms.open(setting);
  const { id } = await kms.createKey({ spec, usage: 'SIGN_VERIFY' });
  return { kms, id, clock: setting.clock };
}

function publicKeyOf(kms: Kms, id: string): KeyObject {
  return createPublicKey({ key: kms.publicKey(id).der, format: 'der', type: 'spki' });
}

describe('a signature', () => {
  test.each<[KeySpec, string, string]>([
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'sha256'],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', 'sha384'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', 'sha512'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'sha256'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_384', 'sha384'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_512', 'sha512'],
    ['RSA_2048', 'RSASSA_PSS_SHA_256', 'sha256'],
    ['RSA_2048', 'RSASSA_PSS_SHA_384', 'sha384'],
    ['RSA_3072', 'RSASSA_PSS_SHA_512', 'sha512'],
  ])('of %s with %s verifies, of the message and of its digest', async (spec, algorithm, hash) => {
    const { kms, id } = await aKey(spec);
    const key = publicKeyOf(kms, id);
    const isPss = algorithm.startsWith('RSASSA_PSS');
    const padding = isPss
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {};
    // Often enough to meet integers with and without a leading zero byte.
    for (let n = 0; n < (spec.startsWith('ECC') ? 100 : 5); n++) {
      const message = randomBytes(100);
      const digest = createHash(hash).update(message).digest();
      const raw = kms.sign({ keyId: id, message, messageType: 'RAW', algorithm });
      const ofDigest = kms.sign({ keyId: id, message: digest, messageType: 'DIGEST', algorithm });
      expect(verify(hash, message, { key, ...padding }, raw.signature)).toBe(true);
      expect(verify(hash, message, { key, ...padding }, ofDigest.signature)).toBe(true);
      expect(verify(hash, randomBytes(100), { key, ...padding }, raw.signature)).toBe(false);
    }
  });

  test('is refused for a raw message over 4,096 bytes, a digest of a wrong length, and an algorithm of another key', async () => {
    const { kms, id } = await aKey();
    const request = { keyId: id, algorithm: 'ECDSA_SHA_256' };
    kms.sign({ ...request, message: Buffer.alloc(4096), messageType: 'RAW' });
    expect(() => kms.sign({ ...request, message: Buffer.alloc(4097), messageType: 'RAW' })).toThrow('4096');
    expect(() => kms.sign({ ...request, message: Buffer.alloc(31), messageType: 'DIGEST' })).toThrow(
      'invalid length',
    );
    const rsa = { keyId: id, algorithm: 'RSASSA_PSS_SHA_256' };
    expect(() => kms.sign({ ...rsa, message: Buffer.alloc(32), messageType: 'DIGEST' })).toThrow(
      'incompatible',
    );
  });
});

describe('the life of a key', () => {
  test('a disabled key signs nothing until it is enabled', async () => {
    const { kms, id } = await aKey();
    await kms.setState(id, 'Disabled');
    expect(() => kms.publicKey(id)).toThrow(expect.objectContaining({ code: 'DisabledException' }) as Error);
    await kms.setState(id, 'Enabled');
    kms.publicKey(id);
  });

  test('a key pending deletion is unusable, can be had back disabled, and is gone after its window', async () => {
    const { kms, id, clock } = await aKey();
    await kms.scheduleDeletion(id, 7);
    expect(() => kms.publicKey(id)).toThrow(
      expect.objectContaining({ code: 'KMSInvalidStateException' }) as Error,
    );
    await kms.cancelDeletion(id);
    expect(kms.describe(id).state).toBe('Disabled');
    await kms.scheduleDeletion(id, 7);
    await clock.advance(7 * dayMs - 1);
    expect(kms.describe(id).state).toBe('PendingDeletion');
    await clock.advance(1);
    expect(() => kms.describe(id)).toThrow(expect.objectContaining({ code: 'NotFoundException' }) as Error);
  });

  test.each([6, 31])('a window of %d days is refused', async (days) => {
    const { kms, id } = await aKey();
    await expect(kms.scheduleDeletion(id, days)).rejects.toMatchObject({ code: 'ValidationException' });
  });

  test('a key is found by id, ARN, alias and alias ARN', async () => {
    const { kms, id } = await aKey();
    await kms.createAlias('alias/signing', id);
    const arn = kms.arnOf(kms.describe(id));
    for (const reference of [id, arn, 'alias/signing', arn.replace(`key/${id}`, 'alias/signing')]) {
      expect(kms.describe(reference).id).toBe(id);
    }
    await kms.deleteAlias('alias/signing');
    expect(() => kms.describe('alias/signing')).toThrow('does not exist');
  });

  test('a key is the same after a restart, and so is the key of the template', async () => {
    const setting = aTestSetting({ shelf: memoryShelf() });
    const kms = await Kms.open(setting);
    const { id } = await kms.createKey({ spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY' });
    await kms.ensureSymmetricKey('stack-key');
    const again = await Kms.open(setting);
    expect(again.publicKey(id).der).toEqual(kms.publicKey(id).der);
    expect((await again.ensureSymmetricKey('stack-key')).createdAt).toBe(setting.clock.now());
    expect(again.keys()).toHaveLength(2);
  });

  test('a symmetric key has no public half', async () => {
    const kms = await Kms.open(aTestSetting());
    const { id } = await kms.ensureSymmetricKey('stack-key');
    expect(() => kms.publicKey(id)).toThrow(
      expect.objectContaining({ code: 'UnsupportedOperationException' }) as Error,
    );
  });
});
