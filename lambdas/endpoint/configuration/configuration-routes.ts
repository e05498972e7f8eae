import { z } from 'zod';
import { difference } from '../../shared/difference.ts';
import { found } from '../../shared/errors.ts';
import { flag } from '../../shared/flag.ts';
import { endpointId, organizationId } from '../../shared/identifier.ts';
import { noBody, noQuery, route } from '../../shared/route.ts';
import type { Route } from '../../shared/route.ts';
import { endpointName } from '../endpoint.ts';
import type { Subscribers } from '../subscribers.ts';
import { carryOutImport, outcomeOf, replacePolicy } from './carry-out.ts';
import type { EndpointOutcome, ImportPorts } from './carry-out.ts';
import {
  configurationBytesMax,
  configurationOf,
  exportedConfiguration,
  wantedConfiguration,
} from './configuration.ts';
import { judgeEntries, planImport } from './plan-import.ts';
import type { Plan } from './plan-import.ts';
import { shorten } from './shorten.ts';

export interface ConfigurationRoutesPorts extends ImportPorts {
  readonly readSubscribers: (organizationId: string) => Promise<Subscribers>;
}

const path = '/v1/organizations/{organizationId}';
const params = z.strictObject({ organizationId });

const importedEndpoint = z
  .strictObject({
    id: endpointId.optional(),
    name: endpointName.optional(),
    outcome: z
      .enum(['added', 'changed', 'unchanged', 'removed', 'unlisted', 'pending', 'failed'])
      .meta({ id: 'EndpointImportOutcome' }),
    changes: z
      .array(difference)
      .meta({ description: 'Values are left out where the answer would become too long; no field is.' })
      .optional(),
    secret: z.string().optional(),
    problem: z
      .strictObject({ code: z.string(), detail: z.string() })
      .meta({ id: 'ImportProblem' })
      .optional(),
  })
  .meta({ id: 'ImportedEndpoint' });

const imported = z
  .strictObject({
    dryRun: z.boolean(),
    /** Whether all is as the configuration says; else an import would change something, or goes on where it ended. */
    isComplete: z.boolean(),
    /** Of the organization's defaults. */
    policyChanges: z.array(difference),
    endpoints: z.array(importedEndpoint),
  })
  .meta({ id: 'ConfigurationImport' });

/** The operations that read and write all endpoints of an organization at once: configuration as code. */
export function configurationRoutes(ports: ConfigurationRoutesPorts): Route[] {
  return [exportRoute(ports), importRoute(ports)];
}

function exportRoute({ readSubscribers }: ConfigurationRoutesPorts): Route {
  return route({
    method: 'GET',
    path: `${path}/export`,
    operationId: 'exportConfiguration',
    summary: 'All endpoints and the defaults of the organization as one document, without secrets',
    scope: 'webhooks:read',
    entitlement: 'read',
    params,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: exportedConfiguration },
    tagged: (body) => body,
    handle: async ({ params: { organizationId: id } }) => configurationOf(await readSubscribers(id)),
  });
}

function importRoute(ports: ConfigurationRoutesPorts): Route {
  return route({
    method: 'PUT',
    path: `${path}/import`,
    operationId: 'importConfiguration',
    summary:
      'Make all endpoints as the document says; those that it leaves out stay, unless prune says otherwise',
    scope: 'webhooks:write',
    entitlement: 'write',
    params,
    query: z.strictObject({
      dryRun: flag.meta({ description: 'Whether to show only what it would do.', default: false }).optional(),
      prune: flag
        .meta({ description: 'Whether to remove endpoints that the document leaves out.', default: false })
        .optional(),
    }),
    body: wantedConfiguration,
    rules: (sound) => judgeEntries(ports.registration.rules, sound),
    bodyBytesMax: configurationBytesMax,
    answer: { status: 200, schema: imported },
    heedsIfMatch: true,
    heedsIdempotencyKey: true,
    handle: async ({ params: { organizationId: id }, query, body, mustMatch, audited }) => {
      const { organization: there, endpoints, leaving = [] } = await ports.readSubscribers(id);
      const organization = await found(Promise.resolve(there), 'organization');
      mustMatch(configurationOf({ organization, endpoints }));
      const asked = { wanted: body, prune: query.prune === 'true' };
      const plan = await planImport(ports.registration.rules, { organization, endpoints, leaving }, asked);
      const dryRun = query.dryRun === 'true';
      const { policyChanges } = plan;
      if (dryRun) return { dryRun, ...preview(plan) };
      if (policyChanges.length > 0) {
        const replace = () => replacePolicy(ports, organization, plan.organization);
        await audited({ policy: organization.policy }, replace, ({ policy }) => ({ policy }));
      }
      const outcomes = await carryOutImport(ports, plan, audited);
      return { dryRun, isComplete: !outcomes.some(isLeft), policyChanges, endpoints: shorten(outcomes) };
    },
  });
}

function isLeft({ outcome }: EndpointOutcome): boolean {
  return outcome === 'pending' || outcome === 'failed';
}

/** What an import would do. */
function preview({ policyChanges, endpoints }: Plan) {
  const isSettled = endpoints.every(({ outcome }) => outcome === 'unchanged' || outcome === 'unlisted');
  return {
    isComplete: policyChanges.length === 0 && isSettled,
    policyChanges,
    endpoints: shorten(endpoints.map(outcomeOf)),
  };
}
