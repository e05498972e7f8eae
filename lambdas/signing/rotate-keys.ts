import { Conflict } from '../shared/errors.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { thumbprintOf } from './signing-key.ts';
import type { KeyAlgorithm, PublicJwk, SigningKey } from './signing-key.ts';

export interface KeyPorts {
  readonly keys: {
    readonly list: (organizationId: string) => Promise<SigningKey[]>;
    readonly put: (key: SigningKey) => Promise<void>;
    /** Writes a key over the one that was read; false when its end has been set since. */
    readonly replace: (before: SigningKey, after: SigningKey) => Promise<boolean>;
    readonly remove: (key: SigningKey) => Promise<void>;
  };
  /** @param used KMS's ids of the keys that the organization has already */
  readonly createKey: (
    organizationId: string,
    algorithm: KeyAlgorithm,
    used: readonly string[],
  ) => Promise<{ keyId: string; jwk: PublicJwk }>;
  readonly now: Now;
}

export interface Rotation {
  readonly algorithm: KeyAlgorithm;
  /** Seconds that the new key is published before its first use. */
  readonly leadSeconds: number;
  /** Seconds that the old one stays published after its last. */
  readonly overlapSeconds: number;
}

/** Makes an organization's first key, in use at once; nothing when it has one. */
export async function ensureKey(ports: KeyPorts, organizationId: string): Promise<void> {
  const nowMs = ports.now();
  const usable = (await ports.keys.list(organizationId)).filter((key) => isOpen(key, nowMs));
  if (usable.length > 0) return;
  await rotateKeys(ports, organizationId, { algorithm: 'ES256', leadSeconds: 0, overlapSeconds: 0 });
}

/**
 * Publishes a new key, and ends the others' time: each stays in use until the new one is, and published for the
 * overlap after that. A first key has nobody to wait for, and is in use at once.
 *
 * @returns all keys of the organization as they are now.
 * @throws Conflict `changed_meanwhile` when somebody else has rotated them since they were read; nothing has changed then.
 */
export async function rotateKeys(
  { keys, createKey, now }: KeyPorts,
  organizationId: string,
  { algorithm, leadSeconds, overlapSeconds }: Rotation,
): Promise<SigningKey[]> {
  const before = await keys.list(organizationId);
  const used = before.map((key) => key.keyId);
  const { keyId, jwk } = await createKey(organizationId, algorithm, used);
  const nowMs = now();
  const open = before.filter((key) => isOpen(key, nowMs));
  const activeFromMs = nowMs + (open.length === 0 ? 0 : leadSeconds * 1000);
  const made: SigningKey = {
    organizationId,
    kid: thumbprintOf(jwk),
    algorithm,
    keyId,
    jwk,
    publishedAt: isoTime(nowMs),
    activeFrom: isoTime(activeFromMs),
  };
  // The new one first: a crash in between leaves two keys published, and none missing.
  await keys.put(made);
  const retiredAt = isoTime(activeFromMs + overlapSeconds * 1000);
  const ended: SigningKey[] = [];
  // The one without an end first: every rotation ends it, so that of two the second is told before it has ended another.
  for (const key of open.toSorted((a, b) => Number(hasEnd(a)) - Number(hasEnd(b)))) {
    // One that would have come into use later has been overtaken: it must never take over from the younger.
    const isOvertaken = Date.parse(key.activeFrom) > nowMs && Date.parse(key.activeFrom) >= activeFromMs;
    const after = { ...key, retiredAt: isOvertaken ? isoTime(nowMs) : earlier(key, retiredAt) };
    if (!(await keys.replace(key, after))) {
      // Its key in KMS is nobody's now, and is found as such (destroy-orphans.ts).
      await keys.remove(made);
      throw new Conflict('changed_meanwhile', 'Somebody else has just rotated these keys: read them again.');
    }
    ended.push(after);
  }
  return [...before.filter((key) => !isOpen(key, nowMs)), ...ended, made];
}

function hasEnd({ retiredAt }: SigningKey): boolean {
  return retiredAt !== undefined;
}

function isOpen({ retiredAt }: SigningKey, nowMs: number): boolean {
  return retiredAt === undefined || Date.parse(retiredAt) > nowMs;
}

/** A rotation never prolongs what an earlier one has ended. */
function earlier({ retiredAt }: SigningKey, wanted: string): string {
  return retiredAt === undefined || wanted < retiredAt ? wanted : retiredAt;
}
