import { InvalidRequest } from '../shared/errors.ts';
import type { EventType } from './event-type.ts';

/** Name of the event that `POST …/test` sends; nobody else may publish it. */
export const testEventType = 'webhook.test';

type Row = readonly [
  name: string,
  category: EventType['category'],
  description: string,
  example: EventType['example'],
];

const rows: readonly Row[] = [
  [
    'pipeline.run.started',
    'pipeline_execution',
    'A run of a pipeline began.',
    { runId: 77, pipeline: 'pipeline/42' },
  ],
  [
    'pipeline.run.succeeded',
    'pipeline_execution',
    'A run of a pipeline ended well.',
    { runId: 77, durationSeconds: 341 },
  ],
  [
    'pipeline.run.failed',
    'pipeline_execution',
    'A run of a pipeline ended with an error.',
    { runId: 77, errorCode: 'source_unreachable' },
  ],
  [
    'pipeline.run.cancelled',
    'pipeline_execution',
    'A run of a pipeline was stopped by somebody.',
    { runId: 77, cancelledBy: 'user_5' },
  ],
  [
    'orchestration.job.queued',
    'orchestration',
    'A job waits for a worker.',
    { jobId: 'job_9', queue: 'default' },
  ],
  [
    'orchestration.lease.acquired',
    'orchestration',
    'A worker took the lease of a job.',
    { jobId: 'job_9', worker: 'w-3', leaseSeconds: 60 },
  ],
  [
    'orchestration.backfill.segment_completed',
    'orchestration',
    'One segment of a backfill is done.',
    { backfillId: 'bf_2', segment: 4, segments: 12 },
  ],
  [
    'security.api_key.created',
    'security_and_access',
    'Somebody made an API key.',
    { apiKeyId: 'key_1', createdBy: 'user_5' },
  ],
  [
    'security.sso_certificate.expiring',
    'security_and_access',
    'The certificate of a single sign-on expires soon.',
    { connection: 'saml-1', expiresAt: '2026-12-24T00:00:00.000Z' },
  ],
  [
    'security.policy.changed',
    'security_and_access',
    'A security policy was changed.',
    { policy: 'mfa', changedBy: 'user_5' },
  ],
  [
    'governance.contract.violated',
    'governance',
    'Data broke its contract.',
    { contract: 'orders-v2', violations: 3 },
  ],
  [
    'governance.catalog_sync.finished',
    'governance',
    'A synchronization of the data catalogue ended.',
    { catalog: 'main', tables: 120 },
  ],
  [
    testEventType,
    'test',
    'A test that an administrator sends to one endpoint.',
    { message: 'Hello from Tidings' },
  ],
];

/** The event types that come with Tidings. */
export const builtInEventTypes: readonly EventType[] = rows.map(([name, category, description, example]) => ({
  name,
  category,
  description,
  example,
  isBuiltIn: true,
}));

/** Event types by name: those built in, and those that an operator has added. */
export type Catalogue = ReadonlyMap<string, EventType>;

/** Puts the two together. A built-in type cannot be replaced. */
export function catalogueOf(added: readonly EventType[]): Catalogue {
  return new Map([...added, ...builtInEventTypes].map((type) => [type.name, type]));
}

/** Whether a producer may publish events of this type. */
export function isPublishable(catalogue: Catalogue, type: string): boolean {
  return type !== testEventType && catalogue.has(type);
}

/**
 * The type that a caller of the API names.
 *
 * @throws InvalidRequest `unknown_event_type` for one that nobody may publish.
 */
export function publishable(catalogue: Catalogue, name: string): EventType {
  const type = catalogue.get(name);
  if (type !== undefined && isPublishable(catalogue, name)) return type;
  throw new InvalidRequest('unknown_event_type', 'There is no such event type: see /v1/event-types.', 'type');
}
