import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

import { AwsError } from './aws-error.ts';
import { type KeyRecord, KeyStore, type KeyTag, newPrivateKey } from './kms-keys.ts';
import { signDigest } from './kms-signature.ts';
import { digestBytes, type KeySpec, keySpecs, signingScheme } from './kms-specs.ts';
import { type Setting, uuid } from './setting.ts';

const rawBytesMax = 4096;
const dayMs = 86_400_000;

export interface NewKey {
  spec: KeySpec;
  usage: 'SIGN_VERIFY' | 'ENCRYPT_DECRYPT';
  description?: string | undefined;
  tags?: KeyTag[] | undefined;
  /** For a key of the template, which must be the same one after a restart. */
  id?: string | undefined;
}

export interface SignRequest {
  keyId: string;
  message: Buffer;
  messageType: 'RAW' | 'DIGEST';
  algorithm: string;
}

/** KMS keys that sign. Nothing here encrypts: what the stack encrypts at rest, the stand-ins keep as it is. */
export class Kms {
  readonly #setting: Setting;
  readonly #store: KeyStore;

  /** Opens with the keys the shelf holds. */
  static async open(setting: Setting): Promise<Kms> {
    const kms = new Kms(setting);
    await kms.#store.load();
    return kms;
  }

  private constructor(setting: Setting) {
    this.#setting = setting;
    this.#store = new KeyStore(setting);
  }

  async createKey({ spec, usage, description = '', tags = [], id }: NewKey): Promise<KeyRecord> {
    const { kind } = keySpecs[spec];
    if ((kind === 'symmetric' && usage !== 'ENCRYPT_DECRYPT') || (kind === 'ec' && usage !== 'SIGN_VERIFY')) {
      throw new AwsError('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${spec}.`);
    }
    const key: KeyRecord = {
      id: id ?? uuid(this.#setting.random),
      spec,
      usage,
      state: 'Enabled',
      description,
      tags,
      aliases: [],
      createdAt: this.#setting.clock.now(),
      privateKey: await newPrivateKey(spec),
    };
    await this.#store.put(key);
    return key;
  }

  /** The symmetric key that a template's AWS::KMS::Key stands for; the one of an earlier start, if the shelf has it. */
  async ensureSymmetricKey(id: string): Promise<KeyRecord> {
    if (this.#store.has(id)) return this.#store.find(id);
    return this.createKey({ id, spec: 'SYMMETRIC_DEFAULT', usage: 'ENCRYPT_DECRYPT' });
  }

  describe(keyId: string): KeyRecord {
    return this.#store.find(keyId);
  }

  arnOf({ id }: KeyRecord): string {
    return `arn:aws:kms:${this.#setting.region}:${this.#setting.accountId}:key/${id}`;
  }

  /** The public half, as a DER SubjectPublicKeyInfo. */
  publicKey(keyId: string): { key: KeyRecord; der: Buffer } {
    const key = this.#usable(keyId);
    const publicKey = createPublicKey(this.#privateKeyOf(key));
    return { key, der: publicKey.export({ format: 'der', type: 'spki' }) };
  }

  /** ECDSA signatures are DER, as KMS answers them; RSA-PSS ones have a salt as long as the hash. */
  sign({ keyId, message, messageType, algorithm }: SignRequest): { key: KeyRecord; signature: Buffer } {
    const key = this.#usable(keyId);
    const privateKey = this.#privateKeyOf(key);
    if (key.usage !== 'SIGN_VERIFY') {
      throw new AwsError(
        'InvalidKeyUsageException',
        `The key's usage is ${key.usage}, which is not valid for Sign.`,
      );
    }
    const scheme = signingScheme(key.spec, algorithm);
    if (scheme === undefined) {
      throw new AwsError(
        'ValidationException',
        `Algorithm ${algorithm} and key spec ${key.spec} are incompatible.`,
      );
    }
    if (messageType === 'RAW') {
      if (message.length > rawBytesMax)
        throw new AwsError('ValidationException', 'RAW messages have at most 4096 bytes.');
      const digest = createHash(scheme.hash).update(message).digest();
      return { key, signature: signDigest(privateKey, digest, scheme) };
    }
    if (message.length !== digestBytes(scheme.hash)) {
      throw new AwsError('ValidationException', `Digest is invalid length for algorithm ${algorithm}.`);
    }
    return { key, signature: signDigest(privateKey, message, scheme) };
  }

  /** 7 to 30 days; until then the key can be had back, but not used. */
  async scheduleDeletion(keyId: string, days = 30): Promise<KeyRecord> {
    if (!Number.isInteger(days) || days < 7 || days > 30) {
      throw new AwsError('ValidationException', 'PendingWindowInDays must be between 7 and 30.');
    }
    const key = this.#notPending(keyId);
    const deletionAt = this.#setting.clock.now() + days * dayMs;
    return this.#change({ ...key, state: 'PendingDeletion', deletionAt });
  }

  /** The key comes back disabled, as on AWS. */
  async cancelDeletion(keyId: string): Promise<KeyRecord> {
    const key = this.#store.find(keyId);
    if (key.state !== 'PendingDeletion') throw this.#invalidState(key);
    return this.#change({ ...key, state: 'Disabled', deletionAt: undefined });
  }

  async setState(keyId: string, state: 'Enabled' | 'Disabled'): Promise<void> {
    await this.#change({ ...this.#notPending(keyId), state });
  }

  async tag(keyId: string, tags: KeyTag[]): Promise<void> {
    const key = this.#notPending(keyId);
    const kept = key.tags.filter(({ TagKey }) => !tags.some((tag) => tag.TagKey === TagKey));
    await this.#change({ ...key, tags: [...kept, ...tags] });
  }

  async createAlias(alias: string, keyId: string): Promise<void> {
    if (!/^alias\/(?!aws\/)[\w/-]{1,250}$/.test(alias)) {
      throw new AwsError('InvalidAliasNameException', 'An alias is alias/ with letters, digits, /, _ and -.');
    }
    if (this.#store.all().some(({ aliases }) => aliases.includes(alias))) {
      throw new AwsError('AlreadyExistsException', `Alias ${alias} already exists.`);
    }
    const key = this.#notPending(keyId);
    await this.#change({ ...key, aliases: [...key.aliases, alias] });
  }

  async deleteAlias(alias: string): Promise<void> {
    const key = this.#store.find(alias);
    await this.#change({ ...key, aliases: key.aliases.filter((name) => name !== alias) });
  }

  keys(): KeyRecord[] {
    return this.#store.all();
  }

  async #change(key: KeyRecord): Promise<KeyRecord> {
    await this.#store.put(key);
    return key;
  }

  #usable(keyId: string): KeyRecord {
    const key = this.#notPending(keyId);
    if (key.state === 'Disabled') throw new AwsError('DisabledException', `${this.arnOf(key)} is disabled.`);
    return key;
  }

  #notPending(keyId: string): KeyRecord {
    const key = this.#store.find(keyId);
    if (key.state === 'PendingDeletion') throw this.#invalidState(key);
    return key;
  }

  #invalidState(key: KeyRecord): AwsError {
    const state = key.state === 'PendingDeletion' ? 'pending deletion' : 'not pending deletion';
    return new AwsError('KMSInvalidStateException', `${this.arnOf(key)} is ${state}.`);
  }

  #privateKeyOf(key: KeyRecord): KeyObject {
    const privateKey = this.#store.privateKeyOf(key);
    if (privateKey !== undefined) return privateKey;
    throw new AwsError('UnsupportedOperationException', `${this.arnOf(key)} is symmetric.`);
  }
}
