import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisabledException,
  GetPublicKeyCommand,
  KMSInvalidStateException,
  NotFoundException,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import type { KMSClient } from '@aws-sdk/client-kms';
import { GetResourcesCommand } from '@aws-sdk/client-resource-groups-tagging-api';
import type {
  GetResourcesCommandOutput,
  ResourceGroupsTaggingAPIClient,
  ResourceTagMapping,
} from '@aws-sdk/client-resource-groups-tagging-api';
import { createPublicKey } from 'node:crypto';
import type { CreateKeyPorts } from './create-key.ts';
import { rawSignature } from './der.ts';
import type { OrphanPorts, TaggedKey } from './destroy-orphans.ts';
import type { SignDigest } from './jwt.ts';
import { publicJwk } from './signing-key.ts';

/** Tag by which policies know the signing keys of a deployment, which are made while it runs. */
export const keyTag = 'tidings:stage';

/** Tag that says whose key it is. */
const organizationTag = 'tidings:organization';

const specOf = { ES256: 'ECC_NIST_P256', RS256: 'RSA_2048' } as const;
const kmsAlgorithmOf = { ES256: 'ECDSA_SHA_256', RS256: 'RSASSA_PKCS1_V1_5_SHA_256' } as const;

/** Has KMS make a signing key, and answers its id. */
export function makeMakeKey(client: KMSClient, stage: string): CreateKeyPorts['make'] {
  return async function makeKey(organizationId, algorithm) {
    const made = await client.send(
      new CreateKeyCommand({
        KeySpec: specOf[algorithm],
        KeyUsage: 'SIGN_VERIFY',
        Description: `Tidings: signs webhooks of ${organizationId}`,
        Tags: [
          { TagKey: keyTag, TagValue: stage },
          { TagKey: organizationTag, TagValue: organizationId },
        ],
      }),
    );
    const keyId = made.KeyMetadata?.KeyId;
    if (keyId === undefined) throw new Error('KMS made no key');
    return keyId;
  };
}

/** The public half of a key: asked for once, and kept in the configuration from then on. */
export function makeReadPublicKey(client: KMSClient): CreateKeyPorts['readPublicKey'] {
  return async function readPublicKey(KeyId) {
    try {
      const { PublicKey } = await client.send(new GetPublicKeyCommand({ KeyId }));
      if (PublicKey === undefined) throw new Error('KMS gave no public key');
      const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
      return publicJwk.parse(key.export({ format: 'jwk' }));
    } catch (fault) {
      const isGone = [NotFoundException, KMSInvalidStateException, DisabledException];
      if (isGone.some((kind) => fault instanceof kind)) return undefined;
      throw fault;
    }
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

/**
 * Lists the signing keys of a deployment by their tags. KMS itself can only list all keys of the account, and would
 * have to be asked for the tags of each.
 */
export function makeListTagged(
  client: ResourceGroupsTaggingAPIClient,
  stage: string,
): OrphanPorts['listTagged'] {
  return async function listTagged() {
    const keys: TaggedKey[] = [];
    let from: string | undefined;
    do {
      const answer: GetResourcesCommandOutput = await client.send(
        new GetResourcesCommand({
          ResourceTypeFilters: ['kms:key'],
          TagFilters: [{ Key: keyTag, Values: [stage] }],
          PaginationToken: from,
        }),
      );
      keys.push(...(answer.ResourceTagMappingList ?? []).flatMap(taggedKey));
      from = answer.PaginationToken;
      // The last page has an empty one.
    } while (from !== undefined && from !== '');
    return keys;
  };
}

function taggedKey({ ResourceARN, Tags }: ResourceTagMapping): TaggedKey[] {
  const keyId = ResourceARN?.split(':key/')[1];
  const organizationId = Tags?.find(({ Key }) => Key === organizationTag)?.Value;
  return keyId === undefined || organizationId === undefined ? [] : [{ keyId, organizationId }];
}

/** Looks a key up in KMS. */
export function makeLookUp(client: KMSClient): OrphanPorts['lookUp'] {
  return async function lookUp(KeyId) {
    try {
      const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId }));
      const madeAt = KeyMetadata?.CreationDate;
      if (madeAt === undefined) throw new Error('KMS did not say when a key was made');
      return { madeAtMs: madeAt.getTime(), isEnabled: KeyMetadata?.KeyState === 'Enabled' };
    } catch (fault) {
      // Tags are found for a while after the key has gone.
      if (fault instanceof NotFoundException) return undefined;
      throw fault;
    }
  };
}
