import type { Log } from '../shared/log.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import type { SigningKey } from './signing-key.ts';

export interface DestroyPorts {
  readonly keys: {
    readonly listRetired: (before: string) => Promise<readonly SigningKey[]>;
    readonly remove: (key: SigningKey) => Promise<void>;
  };
  readonly scheduleKeyDeletion: (keyId: string) => Promise<void>;
  readonly now: Now;
  readonly log: Log;
}

/**
 * Has KMS destroy the keys whose overlap has passed; each costs a dollar a month. Forgotten here only afterwards: after
 * a crash in between KMS is asked again, which changes nothing.
 */
export async function destroyRetiredKeys({
  keys,
  scheduleKeyDeletion,
  now,
  log,
}: DestroyPorts): Promise<void> {
  for (const key of await keys.listRetired(isoTime(now()))) {
    await scheduleKeyDeletion(key.keyId);
    await keys.remove(key);
    log('signing_key.destroyed', { organizationId: key.organizationId, kid: key.kid });
  }
}
