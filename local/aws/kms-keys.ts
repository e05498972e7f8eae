import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

import { z } from 'zod';

import { AwsError } from './aws-error.ts';
import { keySpec, type KeySpec, keySpecs } from './kms-specs.ts';
import type { Setting } from './setting.ts';
import { tagKey } from './tag-key.ts';

const prefix = 'kms/';

export const keyUsage = z.enum(['SIGN_VERIFY', 'ENCRYPT_DECRYPT']);
export const keyTag = z.strictObject({ TagKey: tagKey, TagValue: z.string().max(256) });
export type KeyTag = z.output<typeof keyTag>;

const keyRecord = z.strictObject({
  id: z.string(),
  spec: keySpec,
  usage: keyUsage,
  state: z.enum(['Enabled', 'Disabled', 'PendingDeletion']),
  description: z.string(),
  tags: z.array(keyTag),
  aliases: z.array(z.string()),
  /** Milliseconds. */
  createdAt: z.number(),
  deletionAt: z.number().optional(),
  /** PKCS #8 in base64. A symmetric key has none: nothing here encrypts. */
  privateKey: z.string().optional(),
});
export type KeyRecord = z.output<typeof keyRecord>;

/** The keys of the account, in memory and on the shelf. */
export class KeyStore {
  readonly #setting: Setting;
  readonly #keys = new Map<string, KeyRecord>();
  readonly #parsed = new Map<string, KeyObject>();

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  async load(): Promise<void> {
    for (const [, value] of await this.#setting.shelf.entries(prefix)) {
      const key = keyRecord.parse(value);
      this.#keys.set(key.id, key);
    }
  }

  async put(key: KeyRecord): Promise<void> {
    // In memory first, so that two changes at once build on each other; answered only once it is kept.
    this.#keys.set(key.id, key);
    await this.#setting.shelf.put(prefix + key.id, key);
  }

  /** By id, ARN, alias name or alias ARN. A key whose deletion is due is gone. */
  find(reference: string): KeyRecord {
    const name = reference.replace(/^arn:aws:kms:[^:]+:[^:]+:(key\/)?/, '');
    const key = this.#keys.get(name) ?? this.all().find(({ aliases }) => aliases.includes(name));
    if (key === undefined) throw notFound(reference);
    if (key.deletionAt === undefined || key.deletionAt > this.#setting.clock.now()) return key;
    this.#keys.delete(key.id);
    this.#parsed.delete(key.id);
    // If it cannot be removed from the shelf, it is found overdue again at the next start.
    this.#setting.shelf.remove(prefix + key.id).catch(() => undefined);
    throw notFound(reference);
  }

  has(id: string): boolean {
    return this.#keys.has(id);
  }

  all(): KeyRecord[] {
    return [...this.#keys.values()];
  }

  /** The private key, parsed once. */
  privateKeyOf({ id, privateKey }: KeyRecord): KeyObject | undefined {
    if (privateKey === undefined) return undefined;
    const known = this.#parsed.get(id);
    if (known !== undefined) return known;
    const parsed = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
    this.#parsed.set(id, parsed);
    return parsed;
  }
}

const generate = promisify(generateKeyPair);

/** New key material, PKCS #8 in base64; none for a symmetric key. Real chance: a key is no place for a seeded one. */
export async function newPrivateKey(spec: KeySpec): Promise<string | undefined> {
  const kind = keySpecs[spec];
  switch (kind.kind) {
    case 'ec':
      return exported(await generate('ec', { namedCurve: kind.curve }));
    case 'rsa':
      return readyRsaKey(kind.modulusBits);
    case 'symmetric':
      return undefined;
  }
}

/** By modulus: the next key, which is made while nobody waits. To find its primes takes up to a second; KMS answers at once. */
const next = new Map<number, Promise<string>>();

function readyRsaKey(modulusLength: number): Promise<string> {
  const make = async () => exported(await generate('rsa', { modulusLength }));
  const key = next.get(modulusLength) ?? make();
  const following = key.then(make);
  // Whoever takes it hears of its fault; nobody else need.
  following.catch(() => next.delete(modulusLength));
  next.set(modulusLength, following);
  return key;
}

function exported({ privateKey }: { privateKey: KeyObject }): string {
  return privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64');
}

function notFound(reference: string): AwsError {
  return new AwsError('NotFoundException', `Key '${reference}' does not exist.`);
}
