import { z } from 'zod';
import { Conflict, found, MadeMeanwhile } from '../shared/errors.ts';
import { organizationId } from '../shared/identifier.ts';
import { itself, Made, noBody, noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { isoTime, isoTimeAfter } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { isEntitled, organization, plan, withPlan } from './organization.ts';
import type { Organization } from './organization.ts';
import { mergePolicy, policyChange, refuseLongDefaults, setsSchedule } from './policy.ts';
import type { OwnPolicy } from './policy.ts';

export interface OrganizationRoutesPorts {
  readonly organizations: {
    readonly get: (id: string) => Promise<Organization | undefined>;
    readonly replace: (before: Organization | undefined, after: Organization) => Promise<boolean>;
  };
  /** What the endpoints of an organization set themselves. */
  readonly listPolicies: (organizationId: string) => Promise<readonly OwnPolicy[]>;
  readonly now: Now;
  readonly retentionDays: number;
}

const params = z.strictObject({ organizationId });
const path = '/v1/organizations/{organizationId}';

const shown = organization.extend({ isEntitled: z.boolean() }).meta({ id: 'Organization' });

function show(organization: Organization): z.output<typeof shown> {
  return shown.parse({ ...organization, isEntitled: isEntitled(organization) });
}

/** The operations on organizations themselves. */
export function organizationRoutes(ports: OrganizationRoutesPorts): Route[] {
  return [getRoute(ports), putRoute(ports), patchRoute(ports)];
}

function getRoute({ organizations }: OrganizationRoutesPorts): Route {
  return route({
    method: 'GET',
    path,
    operationId: 'getOrganization',
    summary: 'An organization: its plan and the defaults of its endpoints',
    scope: 'webhooks:read',
    // Open to every plan: the console asks here whether to show webhooks at all.
    entitlement: 'none',
    params,
    query: noQuery,
    body: noBody,
    answer: { status: 200, schema: shown },
    tagged: (body) => body,
    handle: async ({ params }) => show(await found(organizations.get(params.organizationId), 'organization')),
  });
}

function putRoute({ organizations, now }: OrganizationRoutesPorts): Route {
  return route({
    method: 'PUT',
    path,
    operationId: 'putOrganization',
    summary: 'Set the plan and add-ons of an organization, which is made when it is new',
    scope: 'webhooks:operate',
    entitlement: 'none',
    params,
    query: noQuery,
    body: plan,
    answer: { status: 200, schema: shown },
    tagged: (body) => body,
    heedsIfMatch: true,
    mayCreate: true,
    handle: async ({ params, body, mustMatch, audited }) => {
      const before = await organizations.get(params.organizationId);
      mustMatch(before && show(before));
      const at = before === undefined ? isoTime(now()) : isoTimeAfter(before.updatedAt, now());
      const after = withPlan(params.organizationId, before, { plan: body, at });
      const written = await audited(
        before && show(before),
        () => write(organizations, before, after),
        itself,
      );
      return before === undefined ? new Made(written) : written;
    },
  });
}

function patchRoute({ organizations, listPolicies, now, retentionDays }: OrganizationRoutesPorts): Route {
  return route({
    method: 'PATCH',
    path,
    operationId: 'updateOrganization',
    summary: 'Change the defaults of its endpoints; null takes a field back to ours',
    scope: 'webhooks:write',
    entitlement: 'write',
    params,
    query: noQuery,
    body: z.strictObject({ policy: policyChange.nullable() }).meta({ id: 'OrganizationChange' }),
    answer: { status: 200, schema: shown },
    tagged: (body) => body,
    heedsIfMatch: true,
    handle: async ({ params, body, mustMatch, audited }) => {
      const before = await found(organizations.get(params.organizationId), 'organization');
      mustMatch(show(before));
      const merged = mergePolicy(before.policy, body.policy);
      if (setsSchedule(body.policy)) {
        refuseLongDefaults(merged, await listPolicies(params.organizationId), retentionDays);
      }
      const after = { ...before, policy: merged, updatedAt: isoTimeAfter(before.updatedAt, now()) };
      return audited(show(before), () => write(organizations, before, after), itself);
    },
  });
}

async function write(
  organizations: OrganizationRoutesPorts['organizations'],
  before: Organization | undefined,
  after: Organization,
): Promise<z.output<typeof shown>> {
  if (await organizations.replace(before, after)) return show(after);
  if (before === undefined) throw new MadeMeanwhile('organization');
  throw new Conflict('changed_meanwhile', 'Somebody else has just changed this organization: try again.');
}
