/**
 * What an answer of the API may be refused with, by its status: each code with a sentence on when. Codes are stable; their
 * table for people is docs/codes.md.
 */
export const problemCodes = {
  400: {
    invalid_request: 'A field is missing or out of bounds; `errors` names all that are.',
    unknown_field: 'There is no field or parameter of this name.',
    invalid_json: 'The body is not JSON in UTF-8, or is nested too deep.',
    invalid_cursor: '`cursor` is not one that this very list, with these filters, gave.',
    invalid_idempotency_key: 'An `Idempotency-Key` has 16 to 255 visible characters.',
    invalid_url: 'The URL of the endpoint cannot be read in one way only, or must be percent-encoded.',
    https_required: 'The URL of the endpoint is not https.',
    target_not_allowed: 'The URL leads where deliveries may not go.',
    header_not_allowed: 'The header belongs to the request itself, or is one of ours.',
    invalid_certificate: 'Certificate and key cannot be used; `field` says which, `detail` why.',
    unknown_event_type: 'The catalogue has no such event type.',
    invalid_time: '`occurredAt` lies before 1970, or more than a day ahead.',
    schedule_too_long: 'The last attempt would come after the event is gone.',
    invalid_schema: 'The schema is no JSON Schema of draft 2020-12 that can be held against data.',
    example_breaks_schema: 'The example of the event type is not as its schema says.',
    unknown_document: 'The document is neither AsyncAPI 2 or 3 nor a JSON Schema with `$defs`.',
    invalid_reference: 'A `$ref` of the document leads to nothing, out of it, or in a circle.',
    unsupported_schema_format: 'A message is described in another language than JSON Schema.',
    missing_category: 'An event type of the document has no category.',
    duplicate_event_type: 'The document describes an event type twice.',
    schema_violation: 'The deployment is strict, and the data break the schema of the type.',
    schema_not_judged: 'The deployment is strict, and the schema of the type cannot judge the data.',
    missing_name: 'An entry of the configuration has neither the id of an endpoint nor a name.',
    unknown_endpoint: 'An entry of the configuration has an id that is not here, and no name.',
    duplicate_endpoint: 'The configuration has an endpoint twice.',
  },
  401: {
    unauthorized: 'There is no token, or not a valid one.',
  },
  403: {
    insufficient_scope: 'The token lacks the scope that `detail` names.',
    enterprise_plan_required: 'The organization has neither the plan nor the add-on.',
  },
  404: {
    not_found: 'There is no such thing, or it is another organization’s.',
  },
  409: {
    changed_meanwhile: 'Somebody else has changed it since it was read.',
    too_many_secrets: 'Three secrets of the endpoint are live.',
    too_many_keys: 'As many signing keys of the organization are published as may be.',
    schema_id_taken: 'The schema of another event type has this `$id`.',
    too_many_event_types: 'There are as many event types of your own as there can be.',
    catalogue_too_large: 'All event types of your own together would be too large.',
    built_in_event_type: 'Event types that come with Tidings cannot be changed.',
    name_taken: 'Another endpoint of the organization has this name.',
    ambiguous_name: 'Two endpoints have this name: rename one of them.',
    configuration_too_large: 'The configuration is too large for one answer.',
    too_many_endpoints: 'The organization has as many endpoints as it may.',
    idempotency_conflict: 'Another event was published with this `idempotencyKey` and `occurredAt`.',
    request_in_progress: 'A request with this `Idempotency-Key` is being worked on.',
    outcome_unknown: 'A request with this `Idempotency-Key` was cut off: look whether it was done.',
    endpoint_disabled: 'The endpoint receives nothing now: switch it on first.',
    job_running: 'A recovery of the same endpoint, or of the whole organization, is running.',
    nothing_missed: 'The organization has missed nothing that was not recovered.',
    job_finished: 'The recovery has ended: there is nothing to cancel.',
  },
  412: {
    changed_meanwhile: 'It is not what `If-Match` says that you have seen.',
    already_exists: '`If-None-Match` asked that it is not there, and it is.',
  },
  413: {
    payload_too_large: 'The request has more bytes than this operation takes.',
    event_too_large: 'The event has over 256 KB.',
    event_type_too_large: 'Definition, schema and example together have over 64 KiB.',
    document_too_large: 'The document brings more copies than a catalogue could hold.',
  },
  415: {
    unsupported_media_type:
      'The body says by `content-type` that it is something else than is taken here, or by `content-encoding` that it is compressed.',
  },
  422: {
    idempotency_key_reused: 'The `Idempotency-Key` came with another request before.',
  },
  429: {
    too_many_requests:
      'The caller has made as many requests as one may in a minute; `Retry-After` says when to go on.',
    too_many_tests:
      'The endpoint was tested as often as it may be in a minute; `Retry-After` says when to go on.',
  },
  500: {
    internal_error: 'Something of ours failed; ask with the `requestId`.',
  },
} as const;

type Table = typeof problemCodes;

/** A status that is a problem. */
export type ProblemStatus = keyof Table;

/** A code that a client can switch on. */
export type ProblemCode = { [Status in ProblemStatus]: keyof Table[Status] }[ProblemStatus];

/** All codes with what each says; of one that has two statuses, what it says with the first. */
export function allProblemCodes(): ReadonlyMap<string, string> {
  const pairs = Object.values(problemCodes).flatMap((codes) => Object.entries(codes));
  return new Map(pairs.toReversed());
}

/** The statuses that are problems, in their order. */
export const problemStatuses = Object.keys(problemCodes);

/** What codes say with a status. */
export function saidBy(status: string): Readonly<Record<string, string>> {
  return Object.entries(problemCodes).find(([one]) => one === status)?.[1] ?? {};
}
