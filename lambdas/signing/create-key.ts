import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { graceMs } from './destroy-orphans.ts';
import type { KeyPorts } from './rotate-keys.ts';
import type { KeyAlgorithm, PublicJwk } from './signing-key.ts';

export interface CreateKeyPorts {
  /** The key that was made last for an organization, written down before anything else is done with it. */
  readonly begun: {
    readonly find: (organizationId: string, algorithm: KeyAlgorithm) => Promise<BegunKey | undefined>;
    readonly keep: (organizationId: string, algorithm: KeyAlgorithm, key: BegunKey) => Promise<void>;
  };
  readonly make: (organizationId: string, algorithm: KeyAlgorithm) => Promise<string>;
  /** Undefined for a key that KMS does not know, or that is not to be used any more. */
  readonly readPublicKey: (keyId: string) => Promise<PublicJwk | undefined>;
  readonly pause: (ms: number) => Promise<void>;
  readonly now: Now;
}

export interface BegunKey {
  readonly keyId: string;
  /** ISO time. */
  readonly madeAt: string;
}

/** Half the age at which a key that nobody knows of is destroyed: none is taken into use while that is being done. */
const begunMsMax = graceMs / 2;

/** KMS is eventually consistent: a key may be unknown for a moment to the call after the one that made it. */
const pausesMs = [250, 500, 1000];

/**
 * Makes a signing key, or goes on with the one that a try before has made and then failed: KMS takes no token by which
 * it would know the second request as the first, so every try would leave a key, at a dollar a month.
 */
export function makeCreateKey(ports: CreateKeyPorts): KeyPorts['createKey'] {
  return async function createKey(organizationId, algorithm, used) {
    const begun = await ports.begun.find(organizationId, algorithm);
    if (begun !== undefined && !used.includes(begun.keyId) && isYoung(begun, ports.now())) {
      const { keyId } = begun;
      const jwk = await ports.readPublicKey(keyId);
      if (jwk !== undefined) return { keyId, jwk };
    }
    const keyId = await ports.make(organizationId, algorithm);
    await ports.begun.keep(organizationId, algorithm, { keyId, madeAt: isoTime(ports.now()) });
    return { keyId, jwk: await readNew(ports, keyId) };
  };
}

function isYoung({ madeAt }: BegunKey, nowMs: number): boolean {
  return nowMs - Date.parse(madeAt) < begunMsMax;
}

async function readNew({ readPublicKey, pause }: CreateKeyPorts, keyId: string): Promise<PublicJwk> {
  for (const ms of [...pausesMs, undefined]) {
    const jwk = await readPublicKey(keyId);
    if (jwk !== undefined) return jwk;
    if (ms !== undefined) await pause(ms);
  }
  throw new Error('KMS does not know the key that it has just made');
}
