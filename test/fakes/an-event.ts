import { packBody } from '../../lambdas/event/body.ts';
import { bodyOf } from '../../lambdas/event/event.ts';
import type { StoredEvent } from '../../lambdas/event/event.ts';
import { expiryOf, isoTime } from '../../lambdas/shared/time.ts';
import { testStartMs } from './clock.ts';
import { endpointIdOf, eventIdOf } from './ids.ts';

interface Wish extends Partial<StoredEvent> {
  /** Tells events apart; the id follows from it and from the time. */
  readonly name?: string;
  readonly timeMs?: number;
  readonly data?: unknown;
}

/** An accepted event of 30 days' retention, meant for the endpoint `one`. */
export function anEvent({ name = 'one', timeMs = testStartMs, data = { runId: 77 }, ...given }: Wish = {}) {
  const timestamp = isoTime(timeMs);
  const { id = eventIdOf(name, timeMs), organizationId = 'org_1', type = 'pipeline.run.failed' } = given;
  const body = packBody(
    bodyOf({ id, type, timestamp, organizationId, resource: 'pipeline/42', dataText: JSON.stringify(data) }),
  );
  if (body === undefined) throw new Error('this event is too large to be stored');
  return {
    id,
    organizationId,
    type,
    category: 'pipeline_execution',
    timestamp,
    receivedAt: timestamp,
    source: 'acme.pipelines',
    resource: 'pipeline/42',
    status: 'accepted',
    endpoints: [endpointIdOf('one')],
    skipped: [],
    // As DynamoDB hands it out: never a Buffer.
    body: { ...body, bytes: Uint8Array.from(body.bytes) },
    expiresAt: expiryOf(timeMs, 30),
    ...given,
  } satisfies StoredEvent as StoredEvent;
}
