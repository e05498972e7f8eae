import type { Endpoint } from '../endpoint/endpoint.ts';
import type { Health } from '../endpoint/health/health.ts';
import type { Skipped } from '../event/event.ts';

export interface StandingPorts {
  readonly readHealth: (endpointId: string) => Promise<Health>;
}

/** An endpoint that wants an event, and why it may not be meant to get it. */
export interface Standing {
  readonly endpointId: string;
  readonly reason: Exclude<Skipped['reason'], 'not_entitled'> | undefined;
}

/** How those stand that want an event. */
export async function standings(
  { readHealth }: StandingPorts,
  wanting: readonly Endpoint[],
): Promise<Standing[]> {
  return Promise.all(
    wanting.map(async ({ id: endpointId, active }) => {
      if (!active) return { endpointId, reason: 'endpoint_disabled' };
      const { off } = await readHealth(endpointId);
      if (off === undefined) return { endpointId, reason: undefined };
      return { endpointId, reason: off.reason === 'gone' ? 'gone' : 'endpoint_disabled' };
    }),
  );
}
