/** A refusal of a request that the description allows. */
export interface Rule {
  /** As docs/codes.md lists it. */
  readonly code: string;
  /** Only of fields whose whole path is so, as a regular expression; of any without. */
  readonly field?: string;
}

/**
 * What JSON Schema cannot say, and so no description: what hangs together with what is stored, with the time, or with
 * another field. Whatever else the description allows must be taken; `invalid_request` of any other field, and
 * `unknown_field`, are failures.
 */
export const rules: readonly Rule[] = [
  { code: 'invalid_cursor' },
  { code: 'changed_meanwhile' },
  { code: 'already_exists' },
  { code: 'idempotency_conflict' },
  // An event that happens in two days.
  { code: 'invalid_time' },
  { code: 'idempotency_key_reused' },
  { code: 'invalid_url' },
  { code: 'target_not_allowed' },
  { code: 'header_not_allowed' },
  { code: 'invalid_certificate' },
  { code: 'unknown_event_type' },
  { code: 'schedule_too_long' },
  { code: 'invalid_schema' },
  { code: 'example_breaks_schema' },
  // What a document of event types, or of endpoints, says in more than one place.
  { code: 'unknown_document' },
  { code: 'invalid_reference' },
  { code: 'unsupported_schema_format' },
  { code: 'missing_category' },
  { code: 'missing_name' },
  { code: 'unknown_endpoint' },
  { code: 'duplicate_endpoint' },
  // A secret header keeps the value that it has; names differ; 4 kB and eight secrets in all. An import has many lists.
  { code: 'invalid_request', field: '(endpoints\\.\\d+\\.)?headers(\\.\\d+\\.(name|value))?' },
  // A span that ends before it begins, or begins ahead.
  { code: 'invalid_request', field: 'since|until' },
];
