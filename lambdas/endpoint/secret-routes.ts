import { z } from 'zod';
import { operatorEvent } from '../event/operator-event.ts';
import type { Announce } from '../event/operator-event.ts';
import { found } from '../shared/errors.ts';
import { endpointId, organizationId } from '../shared/identifier.ts';
import { nameOfFault } from '../shared/log.ts';
import type { Log } from '../shared/log.ts';
import { noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { ownSecret } from '../signing/secret.ts';
import { secretVersion, show } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import type { RegisterPorts } from './register.ts';
import { rotateSecret } from './rotate-secret.ts';

export interface SecretRoutesPorts {
  readonly registration: RegisterPorts;
  readonly getEndpoint: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
  readonly announce: Announce;
  readonly log: Log;
}

const rotation = z
  .strictObject({
    overlapSeconds: z.number().int().min(0).max(604_800).default(86_400),
    secret: ownSecret.exactOptional(),
  })
  .meta({ id: 'SecretRotation' })
  .prefault({});

const rotated = z
  .strictObject({ secret: z.string(), secretVersions: z.array(secretVersion) })
  .meta({ id: 'RotatedSecret' });

/** The operation that gives an endpoint a new secret. */
export function secretRoutes({ registration, getEndpoint, announce, log }: SecretRoutesPorts): Route[] {
  const rotating = route({
    method: 'POST',
    path: '/v1/organizations/{organizationId}/endpoints/{endpointId}/secret/rotate',
    operationId: 'rotateSecret',
    summary:
      'Make a new secret, shown in this answer and never again; the old one signs beside it for the overlap',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: z.strictObject({ organizationId, endpointId }),
    query: noQuery,
    body: rotation,
    answer: { status: 200, schema: rotated },
    heedsIfMatch: true,
    heedsIdempotencyKey: true,
    handle: async ({ params, body, mustMatch, audited }) => {
      const before = await found(getEndpoint(params.organizationId, params.endpointId), 'endpoint');
      mustMatch(show(before));
      const { endpoint, secret } = await audited(
        show(before),
        () => rotateSecret(registration, before, body),
        (changed) => show(changed.endpoint),
      );
      const { overlapSeconds } = body;
      // The secret is shown this once: it must not be lost because the bus did not take the news of it.
      await announce(operatorEvent('secret.rotated', { ...params, overlapSeconds })).catch(
        (fault: unknown) => {
          log('secret.rotation_unsaid', { ...params, fault: nameOfFault(fault) });
        },
      );
      return { secret, secretVersions: endpoint.secretVersions };
    },
  });
  return [rotating];
}
