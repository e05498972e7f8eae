import { z } from 'zod';

import { type Action, actionsOn, type Service, serviceOf } from './actions.ts';
import { AwsError } from './aws-error.ts';
import { type KeyRecord, keyTag, keyUsage } from './kms-keys.ts';
import { keySpec, keySpecs, signingAlgorithms } from './kms-specs.ts';
import type { Kms } from './kms.ts';

const action = actionsOn<Kms>('ValidationException');
const KeyId = z.string().min(1);
const grants = { GrantTokens: z.array(z.string()).optional() };

/** KMS as the SDK speaks to it (TrentService.*). */
export function kmsService(kms: Kms): Service {
  return serviceOf(kms, { ...signingActions, ...lifeActions, ...nameActions, ...refusedActions });
}

const createInput = z.strictObject({
  KeySpec: keySpec.optional(),
  CustomerMasterKeySpec: keySpec.optional(),
  KeyUsage: keyUsage.optional(),
  Description: z.string().max(8192).optional(),
  Tags: z.array(keyTag).optional(),
  Origin: z.literal('AWS_KMS').optional(),
  MultiRegion: z.literal(false).optional(),
});

const signInput = z.strictObject({
  KeyId,
  Message: z.base64().min(1),
  MessageType: z.enum(['RAW', 'DIGEST']).optional(),
  SigningAlgorithm: z.string(),
  ...grants,
});

const signingActions: Record<string, Action<Kms>> = {
  Sign: action(signInput, (kms, input) => {
    const { key, signature } = kms.sign({
      keyId: input.KeyId,
      message: Buffer.from(input.Message, 'base64'),
      messageType: input.MessageType ?? 'RAW',
      algorithm: input.SigningAlgorithm,
    });
    const Signature = signature.toString('base64');
    return { KeyId: kms.arnOf(key), Signature, SigningAlgorithm: input.SigningAlgorithm };
  }),
  GetPublicKey: action(z.strictObject({ KeyId, ...grants }), (kms, input) => {
    const { key, der } = kms.publicKey(input.KeyId);
    return {
      KeyId: kms.arnOf(key),
      PublicKey: der.toString('base64'),
      ...specFields(key),
      KeyUsage: key.usage,
    };
  }),
};

const lifeActions: Record<string, Action<Kms>> = {
  CreateKey: action(createInput, async (kms, input) => {
    const key = await kms.createKey({
      spec: input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT',
      usage: input.KeyUsage ?? 'ENCRYPT_DECRYPT',
      description: input.Description,
      tags: input.Tags,
    });
    return { KeyMetadata: metadata(kms, key) };
  }),
  DescribeKey: action(z.strictObject({ KeyId, ...grants }), (kms, input) => ({
    KeyMetadata: metadata(kms, kms.describe(input.KeyId)),
  })),
  ScheduleKeyDeletion: action(
    z.strictObject({ KeyId, PendingWindowInDays: z.number().optional() }),
    async (kms, input) => {
      const key = await kms.scheduleDeletion(input.KeyId, input.PendingWindowInDays);
      return {
        KeyId: kms.arnOf(key),
        KeyState: key.state,
        DeletionDate: inSeconds(key.deletionAt),
        PendingWindowInDays: input.PendingWindowInDays ?? 30,
      };
    },
  ),
  CancelKeyDeletion: action(z.strictObject({ KeyId }), async (kms, input) => ({
    KeyId: kms.arnOf(await kms.cancelDeletion(input.KeyId)),
  })),
  EnableKey: action(z.strictObject({ KeyId }), async (kms, input) => {
    await kms.setState(input.KeyId, 'Enabled');
    return {};
  }),
  DisableKey: action(z.strictObject({ KeyId }), async (kms, input) => {
    await kms.setState(input.KeyId, 'Disabled');
    return {};
  }),
};

const nameActions: Record<string, Action<Kms>> = {
  TagResource: action(z.strictObject({ KeyId, Tags: z.array(keyTag) }), async (kms, input) => {
    await kms.tag(input.KeyId, input.Tags);
    return {};
  }),
  ListResourceTags: action(z.strictObject({ KeyId, Limit: z.number().optional() }), (kms, input) => ({
    Tags: kms.describe(input.KeyId).tags,
    Truncated: false,
  })),
  CreateAlias: action(z.strictObject({ AliasName: z.string(), TargetKeyId: KeyId }), async (kms, input) => {
    await kms.createAlias(input.AliasName, input.TargetKeyId);
    return {};
  }),
  DeleteAlias: action(z.strictObject({ AliasName: z.string() }), async (kms, input) => {
    await kms.deleteAlias(input.AliasName);
    return {};
  }),
  ListAliases: action(
    z.strictObject({ KeyId: KeyId.optional(), Limit: z.number().optional() }),
    (kms, input) => {
      const keys = input.KeyId === undefined ? kms.keys() : [kms.describe(input.KeyId)];
      const Aliases = keys.flatMap((key) =>
        key.aliases.map((AliasName) => ({ AliasName, TargetKeyId: key.id })),
      );
      return { Aliases, Truncated: false };
    },
  ),
};

/** What would have to pretend: the stand-in keeps no symmetric key material. */
const refusedActions: Record<string, Action<Kms>> = Object.fromEntries(
  ['Encrypt', 'Decrypt', 'ReEncrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext'].map((name) => [
    name,
    action(z.unknown(), () => {
      throw new AwsError('UnsupportedOperationException', `The local KMS signs; it has no ${name}.`);
    }),
  ]),
);

function metadata(kms: Kms, key: KeyRecord): object {
  return {
    AWSAccountId: kms.arnOf(key).split(':')[4],
    KeyId: key.id,
    Arn: kms.arnOf(key),
    CreationDate: inSeconds(key.createdAt),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    DeletionDate: inSeconds(key.deletionAt),
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    MultiRegion: false,
    ...specFields(key),
  };
}

function specFields({ spec, usage }: KeyRecord): object {
  const canSign = keySpecs[spec].kind !== 'symmetric' && usage === 'SIGN_VERIFY';
  return {
    KeySpec: spec,
    CustomerMasterKeySpec: spec,
    SigningAlgorithms: canSign ? signingAlgorithms(spec) : undefined,
  };
}

/** Times on the wire are seconds, with a fraction. */
function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
