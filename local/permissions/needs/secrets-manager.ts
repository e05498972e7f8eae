import { z } from 'zod';
import { keyUse, unknownCall } from './need.ts';
import type { Need, Surroundings } from './need.ts';

const creation = z.looseObject({
  Name: z.string(),
  KmsKeyId: z.string().optional(),
  Tags: z.array(z.looseObject({ Key: z.string(), Value: z.string() })).default([]),
});
const onOne = z.looseObject({ SecretId: z.string() });

/** What each call does with the secret's key (Secrets Manager user guide, "Secret encryption and decryption"). */
const keyActions: Readonly<Record<string, readonly string[]>> = {
  CreateSecret: ['GenerateDataKey', 'Decrypt'],
  PutSecretValue: ['GenerateDataKey', 'Decrypt'],
  GetSecretValue: ['Decrypt'],
  UpdateSecretVersionStage: [],
  DescribeSecret: [],
  DeleteSecret: [],
  RestoreSecret: [],
  TagResource: [],
};

/** What a call of Secrets Manager takes. */
export function secretsManagerNeeds(
  action: string,
  input: unknown,
  surroundings: Surroundings,
): readonly Need[] {
  if (action === 'ListSecrets') return [{ action: 'secretsmanager:ListSecrets', resource: '*' }];
  const actions = keyActions[action] ?? unknownCall('secretsmanager', action);
  if (action === 'CreateSecret') return creationNeeds(surroundings, creation.parse(input), actions);
  const { SecretId } = onOne.parse(input);
  const facts = surroundings.secretFacts(SecretId);
  const resource = facts?.arn ?? (SecretId.startsWith('arn:') ? SecretId : newArn(surroundings, SecretId));
  return [
    { action: `secretsmanager:${action}`, resource },
    ...ofKey(surroundings, { keyArn: facts?.keyArn, resource, actions }),
  ];
}

function creationNeeds(
  surroundings: Surroundings,
  { Name, KmsKeyId, Tags }: z.output<typeof creation>,
  actions: readonly string[],
): Need[] {
  const resource = newArn(surroundings, Name);
  const needs: Need[] = [{ action: 'secretsmanager:CreateSecret', resource }];
  if (Tags.length > 0) needs.push({ action: 'secretsmanager:TagResource', resource });
  return [...needs, ...ofKey(surroundings, { keyArn: KmsKeyId, resource, actions })];
}

function ofKey(
  surroundings: Surroundings,
  given: { keyArn: string | undefined; resource: string; actions: readonly string[] },
): Need[] {
  return keyUse(surroundings, given.keyArn, {
    via: 'secretsmanager',
    actions: given.actions,
    context: { 'kms:EncryptionContext:SecretARN': given.resource },
  });
}

/** Six characters end an ARN that nobody can know before; in refusals AWS leaves them away as well. */
function newArn({ place }: Surroundings, name: string): string {
  return `arn:aws:secretsmanager:${place.region}:${place.accountId}:secret:${name}-??????`;
}
