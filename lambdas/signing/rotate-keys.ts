import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { thumbprintOf } from './signing-key.ts';
import type { KeyAlgorithm, PublicJwk, SigningKey } from './signing-key.ts';

export interface KeyPorts {
  readonly keys: {
    readonly list: (organizationId: string) => Promise<SigningKey[]>;
    readonly put: (key: SigningKey) => Promise<void>;
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
  const ended = open.map((key) => {
    // One that would have come into use later has been overtaken: it must never take over from the younger.
    const isOvertaken = Date.parse(key.activeFrom) > nowMs && Date.parse(key.activeFrom) >= activeFromMs;
    return { ...key, retiredAt: isOvertaken ? isoTime(nowMs) : earlier(key, retiredAt) };
  });
  for (const key of ended) await keys.put(key);
  return [...before.filter((key) => !isOpen(key, nowMs)), ...ended, made];
}

function isOpen({ retiredAt }: SigningKey, nowMs: number): boolean {
  return retiredAt === undefined || Date.parse(retiredAt) > nowMs;
}

/** A rotation never prolongs what an earlier one has ended. */
function earlier({ retiredAt }: SigningKey, wanted: string): string {
  return retiredAt === undefined || wanted < retiredAt ? wanted : retiredAt;
}
