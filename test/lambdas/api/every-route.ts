import type { Route } from '../../../lambdas/shared/route.ts';
import { anAuthority } from '../request/certificates.ts';
import type { Wish } from './a-service.ts';

export interface Operation {
  readonly operationId: string;
  readonly method: Route['method'];
  readonly path: string;
  readonly scope: Route['scope'];
  readonly entitlement: Route['entitlement'];
  readonly status: number;
  readonly body?: unknown;
  /** Whether it goes without a body, too. */
  readonly isBodyOptional?: true;
  /** Whether its body is a document of others, whose fields are not ours to refuse. */
  readonly isBodyOpen?: true;
}

const organization = '/v1/organizations/{organizationId}';
const endpoint = `${organization}/endpoints/{endpointId}`;
const delivery = `${endpoint}/deliveries/{eventId}`;
const read = { method: 'GET', scope: 'webhooks:read', entitlement: 'read', status: 200 } as const;
const write = { scope: 'webhooks:write', entitlement: 'write' } as const;
/** Valid on the day of these tests, whenever they run. */
const issued = await (await anAuthority()).issue({ validFromDays: -3_650, validToDays: 3_650 });

/** A client certificate with its key, as an administrator uploads it. */
export const clientCertificate = { certificate: issued.certificate, privateKey: issued.key };
const certificate = `${endpoint}/client-certificate`;
const operate = { scope: 'webhooks:operate', entitlement: 'none' } as const;

/** Every operation of the API, with what it takes to use it and what a good request of it is answered. */
export const operations: readonly Operation[] = [
  { operationId: 'getOrganization', ...read, path: organization, entitlement: 'none' },
  {
    operationId: 'putOrganization',
    ...operate,
    method: 'PUT',
    path: organization,
    status: 200,
    body: { plan: 'team' },
  },
  {
    operationId: 'updateOrganization',
    ...write,
    method: 'PATCH',
    path: organization,
    status: 200,
    body: { policy: { timeoutSeconds: 20 } },
  },
  { operationId: 'listEndpoints', ...read, path: `${organization}/endpoints` },
  {
    operationId: 'createEndpoint',
    ...write,
    method: 'POST',
    path: `${organization}/endpoints`,
    status: 201,
    body: { url: 'https://new.example.com/hook', eventTypes: ['pipeline.*'] },
  },
  { operationId: 'exportConfiguration', ...read, path: `${organization}/export` },
  {
    operationId: 'importConfiguration',
    ...write,
    method: 'PUT',
    path: `${organization}/import`,
    status: 200,
    body: { version: 1, endpoints: [{ name: 'from-code', url: 'https://new.example.com/hook' }] },
  },
  { operationId: 'getEndpoint', ...read, path: endpoint },
  {
    operationId: 'updateEndpoint',
    ...write,
    method: 'PATCH',
    path: endpoint,
    status: 200,
    body: { active: false },
  },
  { operationId: 'resumeEndpoint', ...write, method: 'POST', path: `${endpoint}/resume`, status: 200 },
  { operationId: 'deleteEndpoint', ...write, method: 'DELETE', path: endpoint, status: 204 },
  {
    operationId: 'putClientCertificate',
    ...write,
    method: 'PUT',
    path: certificate,
    status: 200,
    body: clientCertificate,
  },
  { operationId: 'getClientCertificate', ...read, path: certificate },
  { operationId: 'deleteClientCertificate', ...write, method: 'DELETE', path: certificate, status: 204 },
  {
    operationId: 'rotateSecret',
    ...write,
    method: 'POST',
    path: `${endpoint}/secret/rotate`,
    status: 200,
    body: { overlapSeconds: 60 },
    isBodyOptional: true,
  },
  { operationId: 'listSigningKeys', ...read, path: `${organization}/signing-keys` },
  {
    operationId: 'rotateSigningKeys',
    ...write,
    method: 'POST',
    path: `${organization}/signing-keys/rotate`,
    status: 201,
    body: { leadSeconds: 60 },
    isBodyOptional: true,
  },
  {
    operationId: 'getKeySet',
    method: 'GET',
    path: `${organization}/.well-known/jwks.json`,
    scope: 'public',
    entitlement: 'none',
    status: 200,
  },
  { operationId: 'testEndpoint', ...write, method: 'POST', path: `${endpoint}/test`, status: 200 },
  { operationId: 'listEventTypes', ...read, path: '/v1/event-types', entitlement: 'none' },
  { operationId: 'exportEventTypes', ...read, path: '/v1/event-types/export', entitlement: 'none' },
  {
    operationId: 'importEventTypes',
    ...operate,
    method: 'POST',
    path: '/v1/event-types/import',
    status: 200,
    body: { $defs: { 'billing.invoice.sent': { 'x-category': 'governance' } } },
    isBodyOpen: true,
  },
  {
    operationId: 'getEventType',
    ...read,
    path: '/v1/event-types/pipeline.run.failed',
    entitlement: 'none',
  },
  {
    operationId: 'putEventType',
    ...operate,
    method: 'PUT',
    path: '/v1/event-types/billing.invoice.paid',
    status: 201,
    body: { category: 'governance', description: 'An invoice was paid.' },
  },
  {
    operationId: 'deleteEventType',
    ...operate,
    method: 'DELETE',
    path: '/v1/event-types/billing.invoice.due',
    status: 204,
  },
  {
    operationId: 'publishEvent',
    ...write,
    method: 'POST',
    path: `${organization}/events`,
    status: 202,
    body: { type: 'pipeline.run.failed', data: { runId: 77 } },
  },
  { operationId: 'listEvents', ...read, path: `${organization}/events` },
  { operationId: 'getEvent', ...read, path: `${organization}/events/{eventId}` },
  { operationId: 'listDeliveries', ...read, path: `${endpoint}/deliveries` },
  { operationId: 'getDelivery', ...read, path: delivery },
  { operationId: 'retryDelivery', ...write, method: 'POST', path: `${delivery}/retry`, status: 202 },
  { operationId: 'listDeadLetters', ...read, path: `${organization}/dead-letters` },
  {
    operationId: 'recoverEndpoint',
    ...write,
    method: 'POST',
    path: `${endpoint}/recover`,
    status: 202,
    body: { since: '2026-11-01T00:00:00Z', include: ['dead', 'missing'] },
  },
  {
    operationId: 'recoverDeadLetters',
    ...write,
    method: 'POST',
    path: `${organization}/dead-letters/recover`,
    status: 202,
    body: { since: '2026-11-01T00:00:00Z' },
    isBodyOptional: true,
  },
  {
    operationId: 'recoverMissed',
    ...write,
    method: 'POST',
    path: `${organization}/missed/recover`,
    status: 202,
    body: { dryRun: true },
    isBodyOptional: true,
  },
  {
    operationId: 'previewEvent',
    ...read,
    method: 'POST',
    path: `${organization}/events/preview`,
    body: { type: 'pipeline.run.failed' },
  },
  { operationId: 'listJobs', ...read, path: `${organization}/jobs` },
  { operationId: 'getJob', ...read, path: `${organization}/jobs/{jobId}` },
  {
    operationId: 'cancelJob',
    ...write,
    method: 'POST',
    path: `${organization}/jobs/{jobId}/cancel`,
    status: 200,
  },
  { operationId: 'listAudit', ...read, path: `${organization}/audit` },
  { operationId: 'exportAudit', ...read, path: `${organization}/audit/export` },
  { operationId: 'listDeploymentAudit', ...operate, method: 'GET', path: '/v1/audit', status: 200 },
  {
    operationId: 'getDescription',
    method: 'GET',
    path: '/openapi.json',
    scope: 'public',
    entitlement: 'none',
    status: 200,
  },
  {
    operationId: 'getReference',
    method: 'GET',
    path: '/reference',
    scope: 'public',
    entitlement: 'none',
    status: 200,
  },
];

/** Ids that take the place of a path's parameters. */
export interface Ids {
  readonly organizationId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly jobId: string;
}

/** A good request of an operation. */
export function requestOf(
  { method, path, body }: Operation,
  ids: Ids,
): Pick<Wish, 'method' | 'path' | 'body'> {
  const filled = path
    .replace('{organizationId}', ids.organizationId)
    .replace('{endpointId}', ids.endpointId)
    .replace('{eventId}', ids.eventId)
    .replace('{jobId}', ids.jobId);
  return { method, path: filled, body };
}
