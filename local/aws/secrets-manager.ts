import { AwsError } from './aws-error.ts';
import {
  checkValue,
  moveStage,
  type SecretRecord,
  secretRecord,
  type SecretTag,
  type SecretValue,
  type SecretVersion,
  versionOf,
  withVersion,
} from './secret-record.ts';
import { letters, type Setting, uuid } from './setting.ts';

const prefix = 'secrets/';
const dayMs = 86_400_000;
/** AWS keeps about a hundred versions of a secret, and lets go of deprecated ones first. */
const versionsMax = 100;
const suffixLetters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

export interface NewSecret {
  name: string;
  description?: string | undefined;
  kmsKeyId?: string | undefined;
  tags?: SecretTag[] | undefined;
  value?: SecretValue | undefined;
  /** The id of the first version. */
  token?: string | undefined;
}

/** Secrets with versions and staging labels. Values are on the shelf in the clear: it is a developer's own folder. */
export class SecretsManager {
  readonly #setting: Setting;
  readonly #secrets = new Map<string, SecretRecord>();

  /** Opens with the secrets the shelf holds. */
  static async open(setting: Setting): Promise<SecretsManager> {
    const secrets = new SecretsManager(setting);
    for (const [, value] of await setting.shelf.entries(prefix)) {
      const secret = secretRecord.parse(value);
      secrets.#secrets.set(secret.name, secret);
    }
    return secrets;
  }

  private constructor(setting: Setting) {
    this.#setting = setting;
  }

  /** Makes a secret, with or without a first version. The same name, token and value again answers the same secret. */
  async create(given: NewSecret): Promise<{ secret: SecretRecord; versionId?: string | undefined }> {
    const { name, value, token = uuid(this.#setting.random) } = given;
    if (!/^[\w/+=.@-]{1,512}$/.test(name)) {
      throw new AwsError('ValidationException', 'A name has 1 to 512 letters, digits and /_+=.@-');
    }
    if (value !== undefined) checkValue(value);
    const known = this.#live(name);
    const versionId = value && token;
    if (known !== undefined) return { secret: checkRepeated(known, { value, token }), versionId };
    const now = this.#setting.clock.now();
    const { description, kmsKeyId, tags = [] } = given;
    const arn = this.#newArn(name);
    const empty = { name, arn, description, kmsKeyId, tags, createdAt: now, changedAt: now, versions: [] };
    const secret = value === undefined ? empty : withVersion(empty, { ...value, id: token, stages: [], now });
    return { secret: await this.#put(secret), versionId };
  }

  /** A further version, under AWSCURRENT unless it is given labels of its own. */
  async putValue(
    secretId: string,
    given: { value: SecretValue; token?: string | undefined; stages?: string[] | undefined },
  ): Promise<{ secret: SecretRecord; version: SecretVersion }> {
    checkValue(given.value);
    const { token = uuid(this.#setting.random), stages = ['AWSCURRENT'] } = given;
    const now = this.#setting.clock.now();
    const secret = withVersion(this.usable(secretId), { ...given.value, id: token, stages, now });
    const kept = secret.versions.length > versionsMax ? withoutDeprecated(secret) : secret;
    await this.#put(kept);
    return { secret: kept, version: versionOf(kept, { id: token }) };
  }

  getValue(
    secretId: string,
    wanted: { id?: string | undefined; stage?: string | undefined },
  ): { secret: SecretRecord; version: SecretVersion } {
    const secret = this.usable(secretId);
    return { secret, version: versionOf(secret, wanted) };
  }

  /** By name or whole ARN, marked for deletion or not. */
  describe(secretId: string): SecretRecord {
    const secret = this.#live(secretId);
    if (secret !== undefined) return secret;
    throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }

  /** Moves a label, or takes it away. What has it now must be named, so that two callers cannot both win. */
  async updateStage(
    secretId: string,
    { stage, from, to }: { stage: string; from?: string | undefined; to?: string | undefined },
  ): Promise<SecretRecord> {
    const secret = this.usable(secretId);
    for (const id of [from, to]) if (id !== undefined) versionOf(secret, { id });
    const holder = secret.versions.find((version) => version.stages.includes(stage))?.id;
    if (holder !== from && holder !== to) {
      const message = `The staging label ${stage} is attached to another version: name it in RemoveFromVersionId.`;
      throw new AwsError('InvalidParameterException', message);
    }
    if (stage === 'AWSCURRENT' && to === undefined) {
      throw new AwsError('InvalidParameterException', 'AWSCURRENT can be moved, not removed.');
    }
    const versions = moveStage(secret.versions, { stage, to });
    return this.#put({ ...secret, versions, changedAt: this.#setting.clock.now() });
  }

  /** Marks for deletion in 7 to 30 days, the name staying taken; or deletes at once if forced, there or not. */
  async delete(
    secretId: string,
    { days = 30, isForced = false }: { days?: number | undefined; isForced?: boolean | undefined },
  ): Promise<SecretRecord | undefined> {
    const now = this.#setting.clock.now();
    if (isForced) {
      const secret = this.#live(secretId);
      if (secret !== undefined) await this.#remove(secret);
      return secret && { ...secret, deletionAt: now };
    }
    if (!Number.isInteger(days) || days < 7 || days > 30) {
      throw new AwsError('InvalidParameterException', 'RecoveryWindowInDays must be between 7 and 30.');
    }
    return this.#put({ ...this.usable(secretId), deletedAt: now, deletionAt: now + days * dayMs });
  }

  async restore(secretId: string): Promise<SecretRecord> {
    return this.#put({ ...this.describe(secretId), deletedAt: undefined, deletionAt: undefined });
  }

  async tag(secretId: string, tags: SecretTag[]): Promise<void> {
    const secret = this.usable(secretId);
    const kept = secret.tags.filter(({ Key }) => !tags.some((tag) => tag.Key === Key));
    await this.#put({ ...secret, tags: [...kept, ...tags] });
  }

  /** Every secret, by name; those marked for deletion too. */
  all(): SecretRecord[] {
    const names = [...this.#secrets.keys()].sort();
    return names.map((name) => this.#live(name)).filter((secret) => secret !== undefined);
  }

  /** For tests: deletes every version without a label now, as AWS may at any time. */
  async dropDeprecatedVersions(secretId: string): Promise<void> {
    await this.#put(withoutDeprecated(this.usable(secretId)));
  }

  /** A secret that is not marked for deletion. */
  usable(secretId: string): SecretRecord {
    const secret = this.describe(secretId);
    if (secret.deletedAt === undefined) return secret;
    const message = "You can't perform this operation on the secret because it was marked for deletion.";
    throw new AwsError('InvalidRequestException', message);
  }

  #live(secretId: string): SecretRecord | undefined {
    const byName = this.#secrets.get(secretId);
    const secret = byName ?? [...this.#secrets.values()].find(({ arn }) => arn === secretId);
    if (secret?.deletionAt === undefined || secret.deletionAt > this.#setting.clock.now()) return secret;
    // If it cannot be removed from the shelf, it is found overdue again at the next start.
    this.#remove(secret).catch(() => undefined);
    return undefined;
  }

  async #put(secret: SecretRecord): Promise<SecretRecord> {
    // In memory first, so that two changes at once build on each other; answered only once it is kept.
    this.#secrets.set(secret.name, secret);
    await this.#setting.shelf.put(prefix + secret.name, secret);
    return secret;
  }

  async #remove({ name }: SecretRecord): Promise<void> {
    this.#secrets.delete(name);
    await this.#setting.shelf.remove(prefix + name);
  }

  /** Six random characters at the end: why policies must allow `name-*` and names should not end in six letters. */
  #newArn(name: string): string {
    const suffix = letters(this.#setting.random, { count: 6, from: suffixLetters });
    return `arn:aws:secretsmanager:${this.#setting.region}:${this.#setting.accountId}:secret:${name}-${suffix}`;
  }
}

function checkRepeated(
  known: SecretRecord,
  given: { value?: SecretValue | undefined; token: string },
): SecretRecord {
  if (known.deletedAt !== undefined) {
    const message = 'A secret with this name is already scheduled for deletion.';
    throw new AwsError('InvalidRequestException', `You can't create this secret: ${message}`);
  }
  const version = known.versions.find(({ id }) => id === given.token);
  const isSame = version?.string === given.value?.string && version?.binary === given.value?.binary;
  if (version !== undefined && isSame) return known;
  throw new AwsError('ResourceExistsException', `The secret ${known.name} already exists.`);
}

function withoutDeprecated(secret: SecretRecord): SecretRecord {
  return { ...secret, versions: secret.versions.filter(({ stages }) => stages.length > 0) };
}
