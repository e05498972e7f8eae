import {
  CreateKeyCommand,
  GetPublicKeyCommand,
  KMSInvalidStateException,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import type { KMSClient } from '@aws-sdk/client-kms';
import { createPublicKey } from 'node:crypto';
import { rawSignature } from './der.ts';
import type { SignDigest } from './jwt.ts';
import { publicJwk } from './signing-key.ts';
import type { KeyAlgorithm, PublicJwk } from './signing-key.ts';

/** Tag by which policies know the signing keys of a deployment, which are made while it runs. */
export const keyTag = 'tidings:stage';

const specOf = { ES256: 'ECC_NIST_P256', RS256: 'RSA_2048' } as const;
const kmsAlgorithmOf = { ES256: 'ECDSA_SHA_256', RS256: 'RSASSA_PKCS1_V1_5_SHA_256' } as const;

export interface MadeKey {
  readonly keyId: string;
  readonly jwk: PublicJwk;
}

export type CreateKey = (organizationId: string, algorithm: KeyAlgorithm) => Promise<MadeKey>;

/** Makes a signing key; its public half is asked for this once, and kept in the configuration from then on. */
export function makeCreateKey(client: KMSClient, stage: string): CreateKey {
  return async function createKey(organizationId, algorithm) {
    const made = await client.send(
      new CreateKeyCommand({
        KeySpec: specOf[algorithm],
        KeyUsage: 'SIGN_VERIFY',
        Description: `Tidings: signs webhooks of ${organizationId}`,
        Tags: [
          { TagKey: keyTag, TagValue: stage },
          { TagKey: 'tidings:organization', TagValue: organizationId },
        ],
      }),
    );
    const keyId = made.KeyMetadata?.KeyId;
    const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId: keyId }));
    if (keyId === undefined || PublicKey === undefined) throw new Error('KMS made no key');
    const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
    return { keyId, jwk: publicJwk.parse(key.export({ format: 'jwk' })) };
  };
}

/** Signs by KMS; ECDSA signatures come in DER and leave as JOSE has them. */
export function makeSignDigest(client: KMSClient): SignDigest {
  return async function signDigest({ keyId, algorithm }, digest) {
    const { Signature } = await client.send(
      new SignCommand({
        KeyId: keyId,
        Message: digest,
        MessageType: 'DIGEST',
        SigningAlgorithm: kmsAlgorithmOf[algorithm],
      }),
    );
    if (Signature === undefined) throw new Error('KMS gave no signature');
    return algorithm === 'ES256' ? rawSignature(Signature) : Signature;
  };
}

/** Destroys a key after the least time that KMS allows. */
export function makeScheduleKeyDeletion(client: KMSClient) {
  return async function scheduleKeyDeletion(keyId: string): Promise<void> {
    try {
      await client.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 7 }));
    } catch (fault) {
      // Pending deletion already: a run before this one came so far.
      if (!(fault instanceof KMSInvalidStateException)) throw fault;
    }
  };
}
