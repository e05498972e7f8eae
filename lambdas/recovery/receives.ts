import { isServed } from '../delivery/decide.ts';
import type { Recipient } from '../delivery/decide.ts';
import type { Health } from '../endpoint/health/health.ts';

export interface ReceivesPorts {
  readonly readRecipient: (organizationId: string, endpointId: string) => Promise<Recipient>;
  readonly readHealth: (endpointId: string) => Promise<Health>;
}

/** Whether an endpoint would be sent anything now; for all others a recovered delivery would only be discarded. */
export type Receives = (organizationId: string, endpointId: string) => Promise<boolean>;

/** Asks both people's decisions and what has been observed. */
export function receivesBy({ readRecipient, readHealth }: ReceivesPorts): Receives {
  return async function receives(organizationId, endpointId) {
    const [recipient, { off }] = await Promise.all([
      readRecipient(organizationId, endpointId),
      readHealth(endpointId),
    ]);
    return isServed(recipient) && off === undefined;
  };
}
