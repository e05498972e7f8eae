import { z } from 'zod';

import { AwsError } from './aws-error.ts';
import { tagKey } from './tag-key.ts';

export const secretTag = z.strictObject({ Key: tagKey, Value: z.string().max(256) });
export type SecretTag = z.output<typeof secretTag>;

const secretVersion = z.strictObject({
  id: z.string(),
  /** Exactly one of the two; binary in base64. */
  string: z.string().optional(),
  binary: z.string().optional(),
  /** Staging labels. A version without any is deprecated: AWS may delete it. */
  stages: z.array(z.string()),
  /** Milliseconds. */
  createdAt: z.number(),
});
export type SecretVersion = z.output<typeof secretVersion>;

export const secretRecord = z.strictObject({
  name: z.string(),
  arn: z.string(),
  description: z.string().optional(),
  kmsKeyId: z.string().optional(),
  tags: z.array(secretTag),
  createdAt: z.number(),
  changedAt: z.number(),
  /** When it was marked for deletion, and when that is final. */
  deletedAt: z.number().optional(),
  deletionAt: z.number().optional(),
  /** In the order they were made. */
  versions: z.array(secretVersion),
});
export type SecretRecord = z.output<typeof secretRecord>;

/** A value as a caller gives it. */
export interface SecretValue {
  string?: string | undefined;
  binary?: string | undefined;
}

const current = 'AWSCURRENT';
const previous = 'AWSPREVIOUS';
const valueBytesMax = 65_536;
const stagesMax = 20;

/** Refuses what Secrets Manager refuses in a value: both kinds, neither, or more than 64 KB. */
export function checkValue({ string, binary }: SecretValue): void {
  if ((string === undefined) === (binary === undefined)) {
    throw new AwsError('InvalidParameterException', 'Give either SecretString or SecretBinary.');
  }
  const bytes = string === undefined ? Buffer.byteLength(binary ?? '', 'base64') : Buffer.byteLength(string);
  if (bytes > valueBytesMax) {
    throw new AwsError('InvalidParameterException', `A secret value has at most ${valueBytesMax} bytes.`);
  }
}

/**
 * The secret with one more version under these labels. Labels leave the versions that had them; AWSCURRENT takes
 * AWSPREVIOUS along, and leaves the version that had it nothing else: so it was recorded of AWSPENDING, and of other
 * labels nothing was. A version of the same id and value changes nothing, one of another value is refused.
 */
export function withVersion(
  secret: SecretRecord,
  version: SecretValue & { id: string; stages: string[]; now: number },
): SecretRecord {
  const { id, string, binary, now } = version;
  const known = secret.versions.find((one) => one.id === id);
  if (known !== undefined) {
    if (known.string === string && known.binary === binary) return secret;
    throw new AwsError(
      'ResourceExistsException',
      'You already used this ClientRequestToken for another value.',
    );
  }
  const versions = [
    ...secret.versions.map((one) => ({ ...one })),
    { id, string, binary, stages: [], createdAt: now },
  ];
  // The first version is current, whatever it was asked to be.
  const stages = new Set(secret.versions.length === 0 ? [...version.stages, current] : version.stages);
  if (stages.size > stagesMax)
    throw new AwsError('LimitExceededException', `At most ${stagesMax} staging labels.`);
  const before = stages.has(current) ? versions.find((one) => one.stages.includes(current)) : undefined;
  if (before !== undefined) before.stages = [current];
  const labelled = [...stages].reduce((changed, stage) => moveStage(changed, { stage, to: id }), versions);
  return { ...secret, versions: labelled, changedAt: now };
}

/** The versions with a label on another one, or on none; AWSPREVIOUS goes where AWSCURRENT was. */
export function moveStage(
  versions: SecretVersion[],
  { stage, to }: { stage: string; to?: string | undefined },
) {
  const from = versions.find((version) => version.stages.includes(stage));
  if (from?.id === to) return versions;
  const moved = putStage(versions, { stage, to });
  return stage === current && from !== undefined ? putStage(moved, { stage: previous, to: from.id }) : moved;
}

/** The version asked for: by id, by label, by both if they agree; else the current one. */
export function versionOf(
  { versions }: SecretRecord,
  wanted: { id?: string | undefined; stage?: string | undefined },
): SecretVersion {
  const { id, stage = id === undefined ? current : undefined } = wanted;
  const found = versions.find(
    (version) =>
      (id === undefined || version.id === id) && (stage === undefined || version.stages.includes(stage)),
  );
  if (found !== undefined) return found;
  const what = id === undefined ? `staging label: ${stage ?? ''}` : `VersionId: ${id}`;
  const message = `Secrets Manager can't find the specified secret value for ${what}`;
  throw new AwsError('ResourceNotFoundException', message);
}

function putStage(versions: SecretVersion[], { stage, to }: { stage: string; to?: string | undefined }) {
  return versions.map((version) => {
    const others = version.stages.filter((one) => one !== stage);
    return { ...version, stages: version.id === to ? [...others, stage] : others };
  });
}
