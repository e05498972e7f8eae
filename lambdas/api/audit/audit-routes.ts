import { z } from 'zod';
import { organizationId } from '../../shared/identifier.ts';
import { isInOrder, openSpan, outOfOrder } from '../../shared/open-span.ts';
import { pageOf, pageQuery, TextPage } from '../../shared/page.ts';
import type { Page } from '../../shared/page.ts';
import { noBody, noParams, route } from '../../shared/route.ts';
import type { Route } from '../../shared/route.ts';
import { deployment } from '../../shared/versions.ts';
import { auditEntry } from './entry.ts';
import type { AuditEntry } from './entry.ts';

export interface AuditRoutesPorts {
  readonly listAudit: (organizationId: string, query: AuditQuery) => Promise<Page<AuditEntry>>;
}

const auditQuery = pageQuery.extend(openSpan).refine(isInOrder, outOfOrder);

export type AuditQuery = z.output<typeof auditQuery>;

const inOrganization = z.strictObject({ organizationId });
const path = '/v1/organizations/{organizationId}/audit';
const common = { method: 'GET', query: auditQuery, body: noBody } as const;
const asPage = { status: 200, schema: pageOf(auditEntry) };

/** The operations that show who changed what and when. */
export function auditRoutes(ports: AuditRoutesPorts): Route[] {
  return [listRoute(ports), exportRoute(ports), deploymentRoute(ports)];
}

function listRoute({ listAudit }: AuditRoutesPorts): Route {
  return route({
    ...common,
    path,
    operationId: 'listAudit',
    summary: 'Who changed what and when, before and after, newest first',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: inOrganization,
    answer: asPage,
    handle: ({ params, query }) => listAudit(params.organizationId, query),
  });
}

function exportRoute({ listAudit }: AuditRoutesPorts): Route {
  return route({
    ...common,
    path: `${path}/export`,
    operationId: 'exportAudit',
    summary: 'The same as lines of JSON, to be kept elsewhere; the header Link names the next page',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: inOrganization,
    answer: { status: 200, schema: z.string(), contentType: 'application/x-ndjson' },
    handle: async ({ params, query }) => {
      const { data, nextCursor } = await listAudit(params.organizationId, query);
      return new TextPage(data.map((entry) => `${JSON.stringify(entry)}\n`).join(''), nextCursor);
    },
  });
}

function deploymentRoute({ listAudit }: AuditRoutesPorts): Route {
  return route({
    ...common,
    path: '/v1/audit',
    operationId: 'listDeploymentAudit',
    summary: 'Changes that concern every organization, such as those of event types, newest first',
    scope: 'webhooks:operate',
    entitlement: 'none',
    params: noParams,
    answer: asPage,
    handle: ({ query }) => listAudit(deployment, query),
  });
}
