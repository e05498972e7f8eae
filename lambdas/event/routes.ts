import { z } from 'zod';
import { allOf, TooLarge } from '../shared/errors.ts';
import { refusalOf } from '../shared/faults.ts';
import { organizationId } from '../shared/identifier.ts';
import { memberText, withMemberText } from '../shared/json-text.ts';
import { pageOf } from '../shared/page.ts';
import type { Page } from '../shared/page.ts';
import { noBody, noQuery, route } from '../shared/route.ts';
import type { KeyedRequest, Route } from '../shared/route.ts';
import type { Sound } from '../shared/sound.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { detailBytesMax } from './body.ts';
import { catalogueOf } from './catalogue.ts';
import { judgeNamed } from './judge-named.ts';
import { eventIdOf } from './event-id.ts';
import { isEventTime, timeBounds } from './event-time.ts';
import { eventListQuery } from './event-list.ts';
import type { EventListQuery } from './event-list.ts';
import { eventTypeName } from './event-type.ts';
import type { EventType } from './event-type.ts';
import { storedEvent } from './event.ts';
import { publishOnce, queuedEvent } from './publication/publish-once.ts';
import type { PublishOncePorts } from './publication/publish-once.ts';
import type { SchemaRule } from './schema.ts';
import type { StoredEvent } from './event.ts';
import { resourcesOf } from './publication/fingerprint.ts';
import {
  apiSource,
  data,
  idempotencyKey,
  isKeyTimed,
  keyUntimed,
  occurredAt,
  resource,
} from './published.ts';

export interface EventRoutesPorts {
  readonly listEventTypes: () => Promise<EventType[]>;
  readonly listEvents: (organizationId: string, query: EventListQuery) => Promise<Page<StoredEvent>>;
  readonly publish: PublishOncePorts['publish'];
  /** Events that were published here, and are not routed yet. */
  readonly publications: Pick<PublishOncePorts, 'queue' | 'withdraw'>;
  readonly now: Now;
  readonly retentionDays: number;
  readonly newUuid: () => string;
  /** What happens to data that break the schema of their type. */
  readonly schemas: SchemaRule;
}

const organizationPath = z.strictObject({ organizationId });

/** An event in a list. Its body is not shown: who may read webhooks' settings need not read their content. */
export const eventSummary = storedEvent
  .omit({ body: true, expiresAt: true, endpoints: true, skipped: true })
  .omit({ fingerprint: true, routedBy: true, queuedBy: true, isPublishedAgain: true })
  .meta({ id: 'Event' });

/** What a caller sees of a stored event. */
export function summaryOf(event: StoredEvent): z.output<typeof eventSummary> {
  return eventSummary.parse(event);
}

const publishBody = z
  .strictObject({
    type: eventTypeName,
    data,
    resource: resource.optional(),
    occurredAt: occurredAt.optional(),
    idempotencyKey: idempotencyKey.optional(),
  })
  .refine(isKeyTimed, keyUntimed)
  .meta({ id: 'NewEvent', dependentRequired: { idempotencyKey: ['occurredAt'] } });

/** The operations on event types and events that need nothing but events. */
export function eventRoutes(ports: EventRoutesPorts): Route[] {
  return [publishRoute(ports), listRoute(ports)];
}

const publishAnswer = z
  .strictObject({
    id: z.string().describe('`GET …/events/{eventId}` finds it from now on, `queued` until it is routed.'),
    duplicate: z
      .literal(true)
      .describe('The same event was published before, with the same key and time: this is its id.')
      .exactOptional(),
    warning: z.string().exactOptional(),
  })
  .meta({ id: 'PublishedEvent' });

function publishRoute(ports: EventRoutesPorts): Route {
  return route({
    method: 'POST',
    path: '/v1/organizations/{organizationId}/events',
    operationId: 'publishEvent',
    summary: 'Put an event on the bus, as a producer would by PutEvents',
    scope: 'webhooks:write',
    entitlement: 'write',
    params: organizationPath,
    query: noQuery,
    body: publishBody,
    answer: {
      status: 202,
      schema: publishAnswer,
      location: '/v1/organizations/{organizationId}/events/{id}',
    },
    heedsIdempotencyKey: true,
    rules: async (sound) => {
      await judgeSaid(ports, sound);
    },
    handle: async ({ params, body, bodyText, keyed }) => {
      const warning = await judgeSaid(ports, body);
      const { id, isDuplicate } = await publishAs(
        ports,
        { ...params, ...body },
        {
          bodyText: bodyText(),
          request: keyed,
        },
      );
      return {
        id,
        ...(isDuplicate ? { duplicate: true } : {}),
        ...(warning === undefined ? {} : { warning }),
      };
    },
  });
}

/**
 * Judges what is said of an event, as far as it is there.
 *
 * @returns what is wrong with its data, where the deployment only warns
 * @throws InvalidRequest
 */
async function judgeSaid(
  { listEventTypes, schemas, now }: EventRoutesPorts,
  { type, data, occurredAt }: Sound<z.output<typeof publishBody>>,
): Promise<string | undefined> {
  let warning: string | undefined;
  await allOf(
    async () => {
      if (type === undefined) return;
      ({ warning } = judgeNamed(catalogueOf(await listEventTypes()), { type, data }, schemas));
    },
    () => {
      refuseTime(occurredAt, now());
    },
  );
  return warning;
}

interface Published {
  /** As the caller wrote it: parsed and written again, its data would be another text. */
  readonly bodyText: string;
  /** With an `Idempotency-Key`: it makes the id of an event without a key of its own, the same each time it is sent. */
  readonly request: KeyedRequest | undefined;
}

async function publishAs(
  { publish, publications, now, newUuid, retentionDays }: EventRoutesPorts,
  { type, data, ...said }: z.output<typeof publishBody> & z.output<typeof organizationPath>,
  { bodyText, request }: Published,
): Promise<{ readonly id: string; readonly isDuplicate: boolean }> {
  // With both given, the id is known before the event has gone its way.
  const occurredAt = said.occurredAt ?? isoTime(request?.firstAtMs ?? now());
  const idempotencyKey = said.idempotencyKey ?? request?.id ?? newUuid();
  const dataText = memberText(bodyText, 'data') ?? JSON.stringify(data);
  const detail = withMemberText({ ...said, occurredAt, idempotencyKey }, 'data', dataText);
  if (Buffer.byteLength(detail) > detailBytesMax) {
    throw new TooLarge('event_too_large', `An event may have ${String(detailBytesMax)} bytes.`, 'data');
  }
  const timeMs = Date.parse(occurredAt);
  const id = eventIdOf({ ...said, timeMs, idempotencyKey, busEventId: '' });
  const queued = queuedEvent(
    { ...said, id, type, timeMs, data },
    {
      ...{ nowMs: now(), retentionDays },
      queuedBy: newUuid(),
    },
  );
  const resources = resourcesOf(queued.fingerprint);
  const entry = { source: apiSource, detailType: type, detail, resources };
  return { id, isDuplicate: await publishOnce({ ...publications, publish }, queued, entry) };
}

function refuseTime(occurredAt: string | undefined, nowMs: number): void {
  if (occurredAt === undefined || isEventTime(Date.parse(occurredAt), nowMs)) return;
  throw refusalOf([{ field: 'occurredAt', code: 'invalid_time', detail: timeBounds }]);
}

function listRoute({ listEvents }: EventRoutesPorts): Route {
  return route({
    method: 'GET',
    path: '/v1/organizations/{organizationId}/events',
    operationId: 'listEvents',
    summary: 'Events of the organization, newest first; a filtered page may be short, and have a next one',
    scope: 'webhooks:read',
    entitlement: 'read',
    params: organizationPath,
    query: eventListQuery,
    body: noBody,
    answer: { status: 200, schema: pageOf(eventSummary) },
    handle: async ({ params, query }) => {
      const page = await listEvents(params.organizationId, query);
      return { ...page, data: page.data.map(summaryOf) };
    },
  });
}
