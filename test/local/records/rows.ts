/** Where somebody has written down what AWS answered, or says what it does. */
const sources = {
  localstackSqs:
    '[LocalStack](https://github.com/localstack/localstack) `tests/aws/services/sqs/test_sqs.py`',
  localstackMoves:
    '[LocalStack](https://github.com/localstack/localstack) `tests/aws/services/sqs/test_sqs_move_task.py`',
  localstackSecrets:
    '[LocalStack](https://github.com/localstack/localstack) `tests/aws/services/secretsmanager/test_secretsmanager.py`',
  localstackEvents:
    '[LocalStack](https://github.com/localstack/localstack) `tests/aws/services/events/test_events.py`',
  ruler: '[event-ruler](https://github.com/aws/event-ruler) 1.8.1, run',
  lambdaSqs: 'Lambda Developer Guide, *Handling errors for an SQS event source*',
  sqsPage: 'SQS Developer Guide and API Reference',
  kmsPage: 'KMS API Reference',
  flociClaims: '[floci #2011](https://github.com/floci-io/floci/pull/2011), measured on AWS',
} as const;

/** `same`: as recorded. `worse`: what is known least is played as the worse case. `unknown`: no record; docs/first-deployment.md. */
type Verdict = 'same' | 'worse' | 'unknown';

export interface Row {
  readonly service: string;
  /** What we rely on, or must bear. */
  readonly semantic: string;
  readonly source: string;
  readonly verdict: Verdict;
  /** Row of docs/first-deployment.md that looks at it. */
  readonly look?: number;
}

const row = (service: string, semantic: string, more: Omit<Row, 'service' | 'semantic'>): Row => ({
  service,
  semantic,
  ...more,
});
const named = (source: keyof typeof sources, test: string) => `${sources[source]}, \`${test}\``;

/** Every semantic of AWS that the code relies on, and what it was recorded to be. A test in this folder holds each to the stand-in. */
export const rows = {
  'sqs-old-handle': row(
    'SQS',
    'a visibility of 0 by an old receipt handle is taken, and shows a message that another consumer has',
    {
      source: named('localstackSqs', 'test_terminate_visibility_timeout_after_receive'),
      verdict: 'same',
    },
  ),
  'sqs-ended-handle': row('SQS', 'a change of visibility by a handle whose own has ended answers 200', {
    source: 'none found',
    verdict: 'unknown',
    look: 26,
  }),
  'sqs-receive-visibility': row('SQS', 'a visibility given with a receive holds for that receive', {
    source: named('localstackSqs', 'test_receive_message_with_visibility_timeout_updates_timeout'),
    verdict: 'same',
  }),
  'sqs-count-goes-on': row(
    'SQS',
    'the receive count goes on in a dead-letter queue: first 2 after a `maxReceiveCount` of 1',
    {
      source: '[LocalStack #10425](https://github.com/localstack/localstack/pull/10425)',
      verdict: 'same',
      look: 26,
    },
  ),
  'sqs-second-purge': row('SQS', 'a second purge within 60 s is refused with 403', {
    source: named('localstackSqs', 'test_successive_purge_calls_fail'),
    verdict: 'same',
  }),
  'sqs-attributes-asked-for': row(
    'SQS',
    'system attributes come with a message only if they were asked for',
    {
      source: named('localstackSqs', 'test_receive_message_attribute_names_filters'),
      verdict: 'same',
    },
  ),
  'sqs-empty-failed': row('SQS', 'a batch in which all was done has no list `Failed`', {
    source: sources.localstackSqs,
    verdict: 'same',
  }),
  'sqs-eleven-entries': row('SQS', 'a batch of more than ten is refused as `TooManyEntriesInBatchRequest`', {
    source: named('localstackSqs', 'test_delete_message_batch_with_too_large_batch'),
    verdict: 'same',
  }),
  'sqs-no-queue': row(
    'SQS',
    'a queue that is not there is `AWS.SimpleQueueService.NonExistentQueue` in the old protocol',
    {
      source: named('localstackSqs', 'test_non_existent_queue'),
      verdict: 'same',
    },
  ),
  'sqs-trace-header': row('SQS', 'the HTTP header `X-Amzn-Trace-Id` becomes `AWSTraceHeader`', {
    source: '[LocalStack #12810](https://github.com/localstack/localstack/pull/12810), tested on AWS',
    verdict: 'same',
    look: 15,
  }),
  'move-needs-dlq': row('move tasks', 'the source must be a dead-letter queue: `InvalidParameterValue`', {
    source: named('localstackMoves', 'test_source_needs_redrive_policy'),
    verdict: 'same',
  }),
  'move-destination': row(
    'move tasks',
    'a destination that is not there is `ResourceNotFoundException`, 404',
    {
      source: named('localstackMoves', 'test_destination_needs_to_exist'),
      verdict: 'same',
    },
  ),
  'move-one-task': row('move tasks', 'a second task of a queue is `InvalidParameterValue`', {
    source: named('localstackMoves', 'test_start_multiple_move_tasks'),
    verdict: 'same',
  }),
  'move-no-task': row(
    'move tasks',
    'to cancel a task that is not there is `ResourceNotFoundException`, 404',
    {
      source: named('localstackMoves', 'test_cancel_with_invalid_task_id_in_task_handle'),
      verdict: 'same',
    },
  ),
  'move-back': row(
    'move tasks',
    'without a destination each message goes back to its own source, of several',
    {
      source: named(
        'localstackMoves',
        'test_move_task_workflow_with_multiple_sources_as_default_destination',
      ),
      verdict: 'same',
    },
  ),
  'move-handle': row('move tasks', 'the handle is listed only while the task runs', {
    source: named('localstackMoves', 'test_move_task_cancel'),
    verdict: 'same',
  }),
  'move-renews': row(
    'move tasks',
    'a message that is moved has a new id, is sent now, and its receive count starts again',
    {
      source: `${sources.sqsPage}; the count: [floci #900](https://github.com/floci-io/floci/issues/900)`,
      verdict: 'same',
      look: 19,
    },
  ),
  'esm-at-once': row(
    'event source mappings',
    'visibility 0, and then a failure: the message comes back at once, up to its `maxReceiveCount`',
    {
      source: 'none found',
      verdict: 'unknown',
      look: 1,
    },
  ),
  'esm-unknown-item': row(
    'event source mappings',
    'an unknown or empty `itemIdentifier`, or a malformed answer, fails the whole batch',
    {
      source: sources.lambdaSqs,
      verdict: 'same',
    },
  ),
  'esm-no-answer': row(
    'event source mappings',
    'no answer, or an empty list, is success of the whole batch',
    { source: sources.lambdaSqs, verdict: 'same' },
  ),
  'bus-unknown': row('EventBridge', 'an event for a bus that is not there gets an id, and is dropped', {
    source: named('localstackEvents', 'test_put_events_nonexistent_event_bus'),
    verdict: 'same',
    look: 27,
  }),
  'bus-size': row(
    'EventBridge',
    'entries of 1,048,576 bytes together are taken; one byte more fails the call as a whole',
    {
      source: 'a run on AWS that somebody published with its output (2026); the wording also in LocalStack',
      verdict: 'same',
    },
  ),
  'bus-required': row(
    'EventBridge',
    'an entry without source, type or detail fails alone, as `InvalidArgument`',
    { source: sources.localstackEvents, verdict: 'same' },
  ),
  'bus-leaves': row(
    'EventBridge',
    'patterns see leaves: an object, an empty list or a list of objects is absent',
    { source: sources.ruler, verdict: 'same', look: 5 },
  ),
  'bus-dotted': row('EventBridge', 'a dotted name in a pattern or event is the same as a nested one', {
    source: sources.ruler,
    verdict: 'same',
  }),
  'bus-group-path': row(
    'EventBridge',
    'an event whose group id cannot be one is put on the dead-letter queue',
    {
      source: 'none found',
      verdict: 'unknown',
      look: 5,
    },
  ),
  'bus-detail-text': row(
    'EventBridge',
    'the detail comes to the queue as its producer wrote it, to the byte',
    {
      source: 'none found',
      verdict: 'unknown',
      look: 25,
    },
  ),
  'kms-digest': row(
    'KMS',
    'Sign takes a raw message up to 4,096 bytes, or a digest of the algorithm’s length',
    { source: sources.kmsPage, verdict: 'same' },
  ),
  'kms-disabled': row(
    'KMS',
    'a disabled key signs nothing: `DisabledException`; one that will be deleted: `KMSInvalidStateException`',
    {
      source: sources.kmsPage,
      verdict: 'same',
    },
  ),
  'kms-reserved-tags': row('KMS', 'a tag whose name begins with `aws:` is refused', {
    source: sources.kmsPage,
    verdict: 'same',
  }),
  'secrets-own-label': row(
    'Secrets Manager',
    'a value that is put under labels of its own leaves every other version its labels',
    {
      source: named('localstackSecrets', 'test_non_versioning_version_stages_no_replacement'),
      verdict: 'same',
      look: 8,
    },
  ),
  'secrets-current': row(
    'Secrets Manager',
    'a value that is put as `AWSCURRENT` strips the one before it of `AWSPENDING`; here, of every label',
    {
      source: named('localstackSecrets', 'test_update_secret_version_stages_current_pending_cycle'),
      verdict: 'worse',
    },
  ),
  'secrets-reserved-tags': row('Secrets Manager', 'a tag whose name begins with `aws:` is refused', {
    source: 'Secrets Manager API Reference',
    verdict: 'same',
  }),
  'http-null-claim': row('HTTP API', 'a claim that is `null` is left out of the event', {
    source: sources.flociClaims,
    verdict: 'same',
  }),
  'http-claims-are-text': row('HTTP API', 'claims are text; a list is `[a b]`', {
    source: sources.flociClaims,
    verdict: 'same',
    look: 6,
  }),
  'http-question-mark': row('HTTP API', 'a `%3F` in the path cuts it there', {
    source: '[voker #8](https://github.com/hotsock/voker/pull/8), captures of a live gateway',
    verdict: 'same',
    look: 28,
  }),
} as const satisfies Readonly<Record<string, Row>>;

export type RowId = keyof typeof rows;

const verdicts: Readonly<Record<Verdict, string>> = {
  same: 'as recorded',
  worse: 'worse than recorded',
  unknown: 'no record',
};

/** The rows as lines of a table in Markdown. */
export function lines(): string[] {
  return Object.values<Row>(rows).map(({ service, semantic, source, verdict, look }) => {
    const where =
      look === undefined ? '' : `; [row ${look}](first-deployment.md#not-verified-without-an-account)`;
    return `| ${service} | ${semantic} | ${source} | ${verdicts[verdict]}${where} |`;
  });
}
