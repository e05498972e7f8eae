import type { Organization } from '../organization/organization.ts';
import type { Log } from '../shared/log.ts';
import type { Now } from '../shared/time.ts';
import type { SigningKey } from './signing-key.ts';

/** A key that KMS has, by its tags. */
export interface TaggedKey {
  readonly keyId: string;
  readonly organizationId: string;
}

export interface OrphanPorts {
  /** All signing keys of this deployment; one that was made a moment ago may not be among them. */
  readonly listTagged: () => Promise<readonly TaggedKey[]>;
  /** When a key was made, and whether it can be used; `undefined` for one that is gone. */
  readonly lookUp: (keyId: string) => Promise<{ madeAtMs: number; isEnabled: boolean } | undefined>;
  readonly listNamed: (organizationId: string) => Promise<readonly SigningKey[]>;
  readonly getOrganization: (id: string) => Promise<Organization | undefined>;
  readonly scheduleKeyDeletion: (keyId: string) => Promise<void>;
  readonly now: Now;
  readonly log: Log;
}

/** Longer than any request that makes a key, and than the tags of a new one take to be found. */
export const graceMs = 86_400_000;

/**
 * Has KMS destroy the keys that nobody knows of: between KMS making one and its being written down, a call can fail
 * or a function die, and KMS cannot be told beforehand under which id to make it. No such key was ever published, so
 * nothing was signed by it.
 */
export async function destroyOrphans(ports: OrphanPorts): Promise<void> {
  const byOrganization = Map.groupBy(await ports.listTagged(), ({ organizationId }) => organizationId);
  for (const [organizationId, tagged] of byOrganization) {
    // Read after the tags were: what is written down in between is known.
    const named = new Set((await ports.listNamed(organizationId)).map(({ keyId }) => keyId));
    for (const key of tagged.filter(({ keyId }) => !named.has(keyId))) {
      if (!(await isOrphan(ports, key))) continue;
      await ports.scheduleKeyDeletion(key.keyId);
      ports.log('signing_key.orphan_destroyed', { ...key });
    }
  }
}

/**
 * Whether a key that no item names is there by mistake. One that is disabled or already on its way out is left to
 * whoever did that; so is one that is older than its organization here: it is known to a table of before, which
 * somebody may want back.
 */
async function isOrphan(
  { lookUp, getOrganization, now }: OrphanPorts,
  { keyId, organizationId }: TaggedKey,
): Promise<boolean> {
  const key = await lookUp(keyId);
  if (!key?.isEnabled || key.madeAtMs > now() - graceMs) return false;
  const organization = await getOrganization(organizationId);
  return organization !== undefined && Date.parse(organization.createdAt) <= key.madeAtMs;
}
