import { z } from 'zod';
import { isList } from '../shared/page.ts';
import { noBody } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import type { ProblemCode } from './problem-codes.ts';
import { saidBy, problemStatuses } from './problem-codes.ts';

/** What of a route tells which problems it may answer with. */
export type Refusing = Pick<
  Route,
  'operationId' | 'path' | 'scope' | 'entitlement' | 'query' | 'body' | 'heedsIfMatch' | 'heedsIdempotencyKey'
>;

const url = ['invalid_url', 'https_required', 'target_not_allowed'] as const;
const endpoint = [...url, 'schedule_too_long', 'unknown_event_type', 'header_not_allowed'] as const;
const entries = ['missing_name', 'unknown_endpoint', 'duplicate_endpoint', 'ambiguous_name'] as const;
const schema = ['invalid_schema', 'example_breaks_schema', 'schema_id_taken', 'unknown_event_type'] as const;
const catalogue = ['too_many_event_types', 'catalogue_too_large', 'event_type_too_large'] as const;
const document = [
  'unknown_document',
  'invalid_reference',
  'unsupported_schema_format',
  'missing_category',
  'duplicate_event_type',
  'document_too_large',
] as const;
const data = ['unknown_event_type', 'schema_violation', 'schema_not_judged'] as const;
const changed = 'changed_meanwhile';

/** By operation, what it refuses by rules of its own; all else follows from what it takes. */
export const ownProblems: Readonly<Record<string, readonly ProblemCode[]>> = {
  putOrganization: [changed],
  updateOrganization: ['schedule_too_long', changed],
  listEndpoints: ['unknown_event_type'],
  createEndpoint: [...endpoint, 'name_taken', 'too_many_endpoints'],
  updateEndpoint: [...endpoint, 'name_taken', changed],
  resumeEndpoint: [changed],
  deleteEndpoint: [changed],
  putClientCertificate: ['invalid_certificate', changed],
  deleteClientCertificate: [changed],
  rotateSigningKeys: ['too_many_keys', changed],
  rotateSecret: ['too_many_secrets', changed],
  exportConfiguration: ['configuration_too_large'],
  importConfiguration: [
    ...endpoint,
    ...entries,
    'name_taken',
    'too_many_endpoints',
    'configuration_too_large',
    changed,
  ],
  getKeySet: ['not_found'],
  getEventType: ['not_found'],
  putEventType: [...schema, ...catalogue, 'built_in_event_type', changed],
  deleteEventType: ['built_in_event_type', 'not_found', changed],
  importEventTypes: [...schema, ...catalogue, ...document, changed],
  publishEvent: [...data, 'invalid_time', 'event_too_large', 'idempotency_conflict'],
  previewEvent: data,
  retryDelivery: ['endpoint_disabled'],
  testEndpoint: ['too_many_tests'],
  recoverEndpoint: ['endpoint_disabled', 'job_running'],
  recoverDeadLetters: ['job_running'],
  recoverMissed: ['nothing_missed'],
  cancelJob: ['job_finished'],
};

/**
 * The problems that an operation can answer with, by status: by its gate (`admit`), by what it takes, and by its own
 * rules. A test holds each answer of the API against them.
 */
export function problemsOf(route: Refusing): ReadonlyMap<string, readonly string[]> {
  const own: readonly string[] = ownProblems[route.operationId] ?? [];
  const taken = takenApart(route);
  const codes = problemStatuses.map((status) => {
    const known = Object.keys(saidBy(status));
    const general: readonly string[] = taken[status] ?? [];
    // `changed_meanwhile` has two statuses: by a rule of its own an operation gives the first one.
    const isOwn = (code: string) => own.includes(code) && status !== '412';
    return [status, known.filter((code) => general.includes(code) || isOwn(code))] as const;
  });
  return new Map(codes.filter(([, own]) => own.length > 0));
}

/** What follows from who may ask, and from what is taken. */
function takenApart(route: Refusing): Readonly<Record<string, readonly ProblemCode[]>> {
  const { path, scope, entitlement, query, body, heedsIdempotencyKey, heedsIfMatch } = route;
  const isOfOrganization = path.includes('{organizationId}');
  const isGuarded = scope !== 'public';
  const when = (is: boolean, ...codes: readonly ProblemCode[]) => (is ? codes : []);
  const hasKey = heedsIdempotencyKey === true;
  return {
    400: [
      'invalid_request',
      ...when(isStrict(query), 'unknown_field'),
      ...when(body !== noBody, 'invalid_json'),
      ...when(isList(query), 'invalid_cursor'),
      ...when(hasKey, 'invalid_idempotency_key'),
    ],
    401: when(isGuarded, 'unauthorized'),
    403: [
      ...when(isGuarded, 'insufficient_scope'),
      ...when(isGuarded && isOfOrganization && entitlement !== 'none', 'enterprise_plan_required'),
    ],
    404: when(isGuarded && isOfOrganization, 'not_found'),
    409: when(hasKey, 'request_in_progress', 'outcome_unknown'),
    412: when(heedsIfMatch === true, 'changed_meanwhile', 'already_exists'),
    413: when(body !== noBody, 'payload_too_large'),
    415: when(body !== noBody, 'unsupported_media_type'),
    422: when(hasKey, 'idempotency_key_reused'),
    429: when(isGuarded, 'too_many_requests'),
    500: ['internal_error'],
  };
}

/** The public operations take any parameter, such as one that defeats a cache. */
function isStrict(query: z.ZodType): boolean {
  return query instanceof z.ZodObject && query.def.catchall instanceof z.ZodNever;
}
