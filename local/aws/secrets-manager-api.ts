import { z } from 'zod';

import { type Action, actionsOn, type Service, serviceOf } from './actions.ts';
import { AwsError } from './aws-error.ts';
import { type SecretRecord, secretTag, type SecretValue, type SecretVersion } from './secret-record.ts';
import type { SecretsManager } from './secrets-manager.ts';

const action = actionsOn<SecretsManager>('ValidationException');
const SecretId = z.string().min(1);
const stage = z.string().min(1).max(256);
const versionId = z.string().min(32).max(64);
const valueFields = { SecretString: z.string().optional(), SecretBinary: z.base64().optional() };

/** Secrets Manager as the SDK speaks to it (secretsmanager.*). */
export function secretsManagerService(secrets: SecretsManager): Service {
  return serviceOf(secrets, { ...valueActions, ...secretActions, ...listActions });
}

const valueActions: Record<string, Action<SecretsManager>> = {
  CreateSecret: action(
    z.strictObject({
      Name: z.string(),
      ClientRequestToken: versionId.optional(),
      Description: z.string().max(2048).optional(),
      KmsKeyId: z.string().optional(),
      Tags: z.array(secretTag).optional(),
      ...valueFields,
    }),
    async (secrets, input) => {
      const { secret, versionId: VersionId } = await secrets.create({
        name: input.Name,
        token: input.ClientRequestToken,
        description: input.Description,
        kmsKeyId: input.KmsKeyId,
        tags: input.Tags,
        value: hasValue(input) ? valueOf(input) : undefined,
      });
      return { ARN: secret.arn, Name: secret.name, VersionId };
    },
  ),
  PutSecretValue: action(
    z.strictObject({
      SecretId,
      ClientRequestToken: versionId.optional(),
      VersionStages: z.array(stage).min(1).max(20).optional(),
      ...valueFields,
    }),
    async (secrets, input) => {
      const { secret, version } = await secrets.putValue(input.SecretId, {
        value: valueOf(input),
        token: input.ClientRequestToken,
        stages: input.VersionStages,
      });
      return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: version.stages };
    },
  ),
  GetSecretValue: action(
    z.strictObject({ SecretId, VersionId: versionId.optional(), VersionStage: stage.optional() }),
    (secrets, input) => {
      const wanted = { id: input.VersionId, stage: input.VersionStage };
      const { secret, version } = secrets.getValue(input.SecretId, wanted);
      return { ARN: secret.arn, Name: secret.name, ...versionFields(version) };
    },
  ),
  UpdateSecretVersionStage: action(
    z.strictObject({
      SecretId,
      VersionStage: stage,
      RemoveFromVersionId: versionId.optional(),
      MoveToVersionId: versionId.optional(),
    }),
    async (secrets, input) => {
      const change = {
        stage: input.VersionStage,
        from: input.RemoveFromVersionId,
        to: input.MoveToVersionId,
      };
      const secret = await secrets.updateStage(input.SecretId, change);
      return { ARN: secret.arn, Name: secret.name };
    },
  ),
};

const secretActions: Record<string, Action<SecretsManager>> = {
  DescribeSecret: action(z.strictObject({ SecretId }), (secrets, input) => {
    const secret = secrets.describe(input.SecretId);
    return { ...secretFields(secret), VersionIdsToStages: stagesByVersion(secret) };
  }),
  DeleteSecret: action(
    z.strictObject({
      SecretId,
      RecoveryWindowInDays: z.number().optional(),
      ForceDeleteWithoutRecovery: z.boolean().optional(),
    }),
    async (secrets, { SecretId: id, RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: isForced }) => {
      if (days !== undefined && isForced === true) {
        throw new AwsError(
          'InvalidParameterException',
          'Give RecoveryWindowInDays or ForceDeleteWithoutRecovery.',
        );
      }
      const secret = await secrets.delete(id, { days, isForced });
      return { ARN: secret?.arn, Name: secret?.name ?? id, DeletionDate: inSeconds(secret?.deletionAt) };
    },
  ),
  RestoreSecret: action(z.strictObject({ SecretId }), async (secrets, input) => {
    const secret = await secrets.restore(input.SecretId);
    return { ARN: secret.arn, Name: secret.name };
  }),
  TagResource: action(z.strictObject({ SecretId, Tags: z.array(secretTag) }), async (secrets, input) => {
    await secrets.tag(input.SecretId, input.Tags);
    return {};
  }),
};

const listActions: Record<string, Action<SecretsManager>> = {
  ListSecrets: action(
    z.strictObject({
      MaxResults: z.int().min(1).max(100).optional(),
      NextToken: z.string().optional(),
      IncludePlannedDeletion: z.boolean().optional(),
      SortOrder: z.literal('asc').optional(),
      /** Of the filters only the one by the beginning of a name. */
      Filters: z.array(z.strictObject({ Key: z.literal('name'), Values: z.array(z.string()) })).optional(),
    }),
    (secrets, { MaxResults = 100, NextToken = '', IncludePlannedDeletion = false, Filters = [] }) => {
      const fits = ({ name, deletedAt }: SecretRecord) =>
        (IncludePlannedDeletion || deletedAt === undefined) &&
        name > NextToken &&
        Filters.every(({ Values }) => Values.some((value) => name.startsWith(value)));
      const found = secrets.all().filter(fits);
      const page = found.slice(0, MaxResults);
      const SecretList = page.map((secret) => ({
        ...secretFields(secret),
        SecretVersionsToStages: stagesByVersion(secret),
      }));
      return { SecretList, NextToken: found.length > page.length ? page.at(-1)?.name : undefined };
    },
  ),
};

function hasValue(input: { SecretString?: string | undefined; SecretBinary?: string | undefined }): boolean {
  return input.SecretString !== undefined || input.SecretBinary !== undefined;
}

function valueOf(input: {
  SecretString?: string | undefined;
  SecretBinary?: string | undefined;
}): SecretValue {
  return { string: input.SecretString, binary: input.SecretBinary };
}

function versionFields({ id, string, binary, stages, createdAt }: SecretVersion): object {
  const value = { SecretString: string, SecretBinary: binary };
  return { VersionId: id, ...value, VersionStages: stages, CreatedDate: inSeconds(createdAt) };
}

function secretFields(secret: SecretRecord): object {
  return {
    ARN: secret.arn,
    Name: secret.name,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    Tags: secret.tags,
    CreatedDate: inSeconds(secret.createdAt),
    LastChangedDate: inSeconds(secret.changedAt),
    DeletedDate: inSeconds(secret.deletedAt),
  };
}

/** Deprecated versions, those without a label, are not shown. */
function stagesByVersion({ versions }: SecretRecord): Record<string, string[]> {
  const labelled = versions.filter(({ stages }) => stages.length > 0);
  return Object.fromEntries(labelled.map(({ id, stages }) => [id, stages]));
}

/** Times on the wire are seconds, with a fraction. */
function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
