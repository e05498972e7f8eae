import { z } from 'zod';
import { anyKey, unknownCall } from './need.ts';
import type { Need, Surroundings } from './need.ts';

const tags = z.array(z.looseObject({ TagKey: z.string(), TagValue: z.string() })).default([]);
const creation = z.looseObject({
  KeyUsage: z.string().default('ENCRYPT_DECRYPT'),
  KeySpec: z.string().default('SYMMETRIC_DEFAULT'),
  Tags: tags,
});
const onOneKey = z.looseObject({
  KeyId: z.string(),
  SigningAlgorithm: z.string().optional(),
  MessageType: z.string().optional(),
  Tags: tags,
});
const aliased = z.looseObject({ TargetKeyId: z.string() });

/** Calls that are allowed on a key, each by the permission of its own name. */
const onKeys: ReadonlySet<string> = new Set([
  ...['Sign', 'GetPublicKey', 'DescribeKey', 'ScheduleKeyDeletion', 'CancelKeyDeletion', 'EnableKey'],
  ...['DisableKey', 'TagResource', 'ListResourceTags', 'Encrypt', 'Decrypt', 'GenerateDataKey'],
  'GenerateDataKeyWithoutPlaintext',
]);

/** What a call of KMS takes. Source: KMS developer guide, "AWS KMS permissions". */
export function kmsNeeds(action: string, input: unknown, surroundings: Surroundings): readonly Need[] {
  switch (action) {
    case 'CreateKey':
      return creationNeeds(surroundings, creation.parse(input));
    case 'ListAliases':
      return [{ action: 'kms:ListAliases', resource: '*' }];
    case 'CreateAlias':
      return [keyNeed(surroundings, 'CreateAlias', aliased.parse(input).TargetKeyId)];
    case 'DeleteAlias':
      return [{ action: 'kms:DeleteAlias', resource: anyKey(surroundings) }];
    default:
      if (!onKeys.has(action)) return unknownCall('kms', action);
      return [onKey(surroundings, action, onOneKey.parse(input))];
  }
}

/**
 * A key to be made has no ARN, so that only a policy of an identity can allow it; its tags take a permission that is not
 * restricted to particular keys ("Controlling access to tags").
 */
function creationNeeds(surroundings: Surroundings, given: z.output<typeof creation>): Need[] {
  const { KeyUsage, KeySpec, Tags } = given;
  const own = { 'kms:KeyUsage': KeyUsage, 'kms:KeySpec': KeySpec };
  const common = { 'kms:CallerAccount': surroundings.place.accountId, ...requestTags(Tags) };
  const making = { action: 'kms:CreateKey', resource: '*', context: { ...common, ...own } };
  if (Tags.length === 0) return [making];
  const tagging = surroundings.tellsUsageAtTagging ? { ...common, ...own } : common;
  return [making, { action: 'kms:TagResource', resource: anyKey(surroundings), context: tagging }];
}

function onKey(surroundings: Surroundings, action: string, given: z.output<typeof onOneKey>): Need {
  const need = keyNeed(surroundings, action, given.KeyId);
  const context = {
    ...need.context,
    'kms:SigningAlgorithm': given.SigningAlgorithm,
    'kms:MessageType': action === 'Sign' ? (given.MessageType ?? 'RAW') : undefined,
    ...requestTags(given.Tags),
  };
  return { ...need, context };
}

function keyNeed(surroundings: Surroundings, action: string, keyId: string): Need {
  const { place, keyFacts } = surroundings;
  const facts = keyFacts(keyId);
  const unknown = keyId.startsWith('arn:') ? keyId : anyKey(surroundings).replace('*', keyId);
  const ofKey = Object.entries(facts?.tags ?? {}).map(
    ([key, value]) => [`aws:ResourceTag/${key}`, value] as const,
  );
  return {
    action: `kms:${action}`,
    resource: facts?.arn ?? unknown,
    context: {
      'kms:CallerAccount': place.accountId,
      'kms:KeyUsage': facts?.usage,
      'kms:KeySpec': facts?.spec,
      ...Object.fromEntries(ofKey),
    },
  };
}

function requestTags(given: z.output<typeof tags>): NonNullable<Need['context']> {
  if (given.length === 0) return {};
  return {
    'aws:TagKeys': given.map(({ TagKey }) => TagKey),
    ...Object.fromEntries(given.map(({ TagKey, TagValue }) => [`aws:RequestTag/${TagKey}`, TagValue])),
  };
}
