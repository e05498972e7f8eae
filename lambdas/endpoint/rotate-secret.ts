import { Conflict } from '../shared/errors.ts';
import { isoTime } from '../shared/time.ts';
import { newSecret } from '../signing/secret.ts';
import { liveVersionsMax } from './endpoint.ts';
import type { Endpoint, SecretVersion } from './endpoint.ts';
import { replace } from './register.ts';
import type { RegisterPorts } from './register.ts';

export interface SecretRotation {
  /** Seconds that the secrets of before sign beside the new one; 0 ends them at once. */
  readonly overlapSeconds: number;
  /** A secret of the caller's own. */
  readonly secret?: string;
}

/**
 * Gives an endpoint a new secret. Those of before go on signing for the overlap, so that a receiver may change over at
 * any moment of it. Nothing is read: the new value is written blindly, as a version of its own.
 *
 * @returns the endpoint and the new secret, which is shown this once.
 * @throws Conflict `too_many_secrets` when three are live: a fourth would silently end the oldest.
 */
export async function rotateSecret(
  ports: RegisterPorts,
  before: Endpoint,
  rotation: SecretRotation,
): Promise<{ endpoint: Endpoint; secret: string }> {
  const nowMs = ports.now();
  const older = goingOn(before.secretVersions, nowMs, rotation.overlapSeconds);
  if (older.length >= liveVersionsMax) {
    throw new Conflict(
      'too_many_secrets',
      'Three secrets are in use already: wait until one has expired, or end them all with overlapSeconds 0.',
    );
  }
  const version = {
    id: ports.chance.newUuid(),
    value: rotation.secret ?? newSecret(ports.chance.randomBytes),
  };
  const name = { organizationId: before.organizationId, endpointId: before.id, part: 'signing' as const };
  await ports.secrets.put(name, version);
  const secretVersions = [{ id: version.id, createdAt: isoTime(nowMs) }, ...older];
  const changed = { ...before, secretVersions };
  const endpoint = await replace(ports, { before, changed }, () => ports.secrets.retire(name, version.id));
  const kept = new Set(secretVersions.map(({ id }) => id));
  for (const { id } of before.secretVersions.filter(({ id }) => !kept.has(id))) {
    await ports.secrets.retire(name, id);
  }
  return { endpoint, secret: version.value };
}

/** The versions that sign on for a while: none longer than the overlap, none longer than it was promised before. */
function goingOn(versions: readonly SecretVersion[], nowMs: number, overlapSeconds: number): SecretVersion[] {
  const endsAt = isoTime(nowMs + overlapSeconds * 1000);
  return versions
    .map((one) => ({
      ...one,
      expiresAt: one.expiresAt !== undefined && one.expiresAt < endsAt ? one.expiresAt : endsAt,
    }))
    .filter(({ expiresAt }) => Date.parse(expiresAt) > nowMs);
}
