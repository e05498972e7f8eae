import { Conflict } from '../shared/errors.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { thumbprintOf } from './signing-key.ts';
import type { KeyAlgorithm, PublicJwk, SigningKey } from './signing-key.ts';

export interface KeyPorts {
  readonly keys: {
    readonly list: (organizationId: string) => Promise<SigningKey[]>;
    /** The key that the last rotation has made, by its `kid`; undefined before the first one. */
    readonly newestKid: (organizationId: string) => Promise<string | undefined>;
    /** Writes a rotation, the whole of it or nothing; false when another one has been written since it was begun. */
    readonly rotate: (rotated: RotatedKeys) => Promise<boolean>;
  };
  /** @param used KMS's ids of the keys that the organization has already */
  readonly createKey: (
    organizationId: string,
    algorithm: KeyAlgorithm,
    used: readonly string[],
  ) => Promise<{ keyId: string; jwk: PublicJwk }>;
  readonly now: Now;
}

/** What a rotation changes. */
export interface RotatedKeys {
  readonly made: SigningKey;
  /** Those whose end is another one now. */
  readonly ended: readonly { readonly before: SigningKey; readonly after: SigningKey }[];
  /** What `newestKid` said when the rotation was begun. */
  readonly newestKid: string | undefined;
}

/** The keys of an organization as somebody has read them who is about to rotate them. */
export interface ReadKeys {
  readonly organizationId: string;
  readonly newestKid: string | undefined;
  readonly keys: readonly SigningKey[];
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
  const read = await readKeys(ports, organizationId);
  if (hasOpen(read.keys, ports.now())) return;
  try {
    await rotateRead(ports, read, { algorithm: 'ES256', leadSeconds: 0, overlapSeconds: 0 });
  } catch (fault) {
    if (!(fault instanceof Conflict)) throw fault;
    // Somebody else has made it: whose it is, nobody minds.
    if (!hasOpen(await ports.keys.list(organizationId), ports.now())) throw fault;
  }
}

/** Rotates the keys of an organization as they are now: see `rotateRead`. */
export async function rotateKeys(
  ports: KeyPorts,
  organizationId: string,
  rotation: Rotation,
): Promise<SigningKey[]> {
  return rotateRead(ports, await readKeys(ports, organizationId), rotation);
}

export async function readKeys({ keys }: KeyPorts, organizationId: string): Promise<ReadKeys> {
  // Before the list: a rotation that the list lacks has then been written since, and is met when this one is.
  const newestKid = await keys.newestKid(organizationId);
  return { organizationId, newestKid, keys: await keys.list(organizationId) };
}

/**
 * Publishes a new key, and ends the others' time: each stays in use until the new one is, and published for the
 * overlap after that. A first key has nobody to wait for, and is in use at once.
 *
 * @returns all keys of the organization as they are now.
 * @throws Conflict `changed_meanwhile` when somebody else has rotated them since they were read, `too_many_keys` when as
 * many are published as may be; nothing has changed then.
 */
export async function rotateRead(
  { keys, createKey, now }: KeyPorts,
  { organizationId, newestKid, keys: before }: ReadKeys,
  rotation: Rotation,
): Promise<SigningKey[]> {
  const { algorithm, leadSeconds, overlapSeconds } = rotation;
  refuseTooMany(
    before.filter((key) => isOpen(key, now())),
    rotation,
  );
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
  const retiredAtMs = activeFromMs + overlapSeconds * 1000;
  const ended = open.map((key) => ({
    before: key,
    after: endedBy(key, { nowMs, activeFromMs, retiredAtMs }),
  }));
  const changed = ended.filter(({ before, after }) => before.retiredAt !== after.retiredAt);
  if (!(await keys.rotate({ made, ended: changed, newestKid }))) {
    // The next try goes on with the key that is in KMS now (create-key.ts).
    throw new Conflict('changed_meanwhile', 'Somebody else has just rotated these keys: read them again.');
  }
  return [...before.filter((key) => !isOpen(key, nowMs)), ...ended.map(({ after }) => after), made];
}

/** Each key costs a dollar a month; and a transaction of DynamoDB, which a rotation is, has a hundred items. */
const publishedMax = 20;

/** @throws Conflict `too_many_keys`, unless the rotation ends them all: in an emergency it must be possible. */
function refuseTooMany(open: readonly SigningKey[], { leadSeconds, overlapSeconds }: Rotation): void {
  if (open.length < publishedMax || leadSeconds + overlapSeconds === 0) return;
  const [first] = open.flatMap(({ retiredAt }) => retiredAt ?? []).toSorted();
  const when = first === undefined ? '' : `, the first of them at ${first},`;
  throw new Conflict(
    'too_many_keys',
    `${open.length} keys are published, and each costs a dollar a month. Rotate when one has retired${when} and from ` +
      'then on less often or with a shorter overlap. With leadSeconds 0 and overlapSeconds 0 all of them end at once.',
  );
}

interface RotationTimes {
  readonly nowMs: number;
  readonly activeFromMs: number;
  readonly retiredAtMs: number;
}

function endedBy(key: SigningKey, { nowMs, activeFromMs, retiredAtMs }: RotationTimes): SigningKey {
  // One that would have come into use later has been overtaken: it must never take over from the younger.
  const isOvertaken = Date.parse(key.activeFrom) > nowMs && Date.parse(key.activeFrom) >= activeFromMs;
  return { ...key, retiredAt: isOvertaken ? isoTime(nowMs) : earlier(key, isoTime(retiredAtMs)) };
}

function hasOpen(keys: readonly SigningKey[], nowMs: number): boolean {
  return keys.some((key) => isOpen(key, nowMs));
}

function isOpen({ retiredAt }: SigningKey, nowMs: number): boolean {
  return retiredAt === undefined || Date.parse(retiredAt) > nowMs;
}

/** A rotation never prolongs what an earlier one has ended. */
function earlier({ retiredAt }: SigningKey, wanted: string): string {
  return retiredAt === undefined || wanted < retiredAt ? wanted : retiredAt;
}
