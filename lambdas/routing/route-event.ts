import { firstMessage } from '../delivery/message.ts';
import type { DeliveryMessage } from '../delivery/message.ts';
import type { Subscribers } from '../endpoint/subscribers.ts';
import { wants } from '../endpoint/wants.ts';
import { packBody } from '../event/body.ts';
import { isPublishable } from '../event/catalogue.ts';
import type { Catalogue } from '../event/catalogue.ts';
import { eventIdOf } from '../event/event-id.ts';
import { bodyOf } from '../event/event.ts';
import type { RefusalReason, Skipped, StoredEvent } from '../event/event.ts';
import { readArrival, readContent } from '../event/published.ts';
import { judgeData } from '../event/schema.ts';
import type { Judgement, SchemaRule } from '../event/schema.ts';
import type { Arrival, Content } from '../event/published.ts';
import { isEntitled } from '../organization/organization.ts';
import type { Organization } from '../organization/organization.ts';
import type { Log } from '../shared/log.ts';
import { expiryOf, isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import type { LookUpSubscribers } from './remember-unknown.ts';
import { standings } from './standing.ts';
import type { Standing, StandingPorts } from './standing.ts';
import type { TellNotJudged } from './tell-not-judged.ts';

export interface RoutePorts extends StandingPorts {
  readonly lookUpSubscribers: LookUpSubscribers;
  readonly readCatalogue: () => Promise<Catalogue>;
  /** Stores an event once; gives the one that was there before. */
  readonly add: (event: StoredEvent) => Promise<StoredEvent | undefined>;
  readonly send: (message: DeliveryMessage) => Promise<void>;
  readonly clock: { readonly now: Now; readonly retentionDays: number };
  /** What happens to data that break the schema of their type. */
  readonly schemas: SchemaRule;
  readonly tellNotJudged: TellNotJudged;
  readonly log: Log;
}

/** What became of an event: it is stored, or no organization could ever see it. */
export type Routed =
  | { readonly kind: 'stored' }
  /** With what can be said of it in a log line. */
  | { readonly kind: 'of_nobody'; readonly why: Readonly<Record<string, string>> };

/**
 * Routes an event from the bus: stores it with the endpoints it is meant for, then asks for one delivery each.
 * What breaks a rule is stored as refused, where its organization finds it with the reason. Only what names no
 * organization that exists is of nobody.
 *
 * Stored before it is sent: a crash in between is repaired by the message that comes back, for the same event
 * always has the same id, and what is stored decides who gets it.
 *
 * @param sinceMs the answer that an organization does not exist is younger than this; milliseconds since 1970
 */
export async function routeEvent(ports: RoutePorts, busEvent: unknown, sinceMs: number): Promise<Routed> {
  const arrival = readArrival(busEvent);
  if (arrival === undefined) return { kind: 'of_nobody', why: { code: 'malformed_event' } };
  const { organizationId, busEventId, type } = arrival;
  const subscribers = await ports.lookUpSubscribers(organizationId, sinceMs);
  if (subscribers.organization === undefined) {
    return { kind: 'of_nobody', why: { code: 'unknown_organization', organizationId, busEventId, type } };
  }
  const { organization, endpoints } = subscribers;
  const event = await judged(ports, arrival, { organization, endpoints });
  const before = await ports.add(event);
  const meant = before ?? event;
  await Promise.all(
    meant.endpoints.map((endpointId) =>
      ports.send(firstMessage({ organizationId, endpointId, eventId: meant.id, eventType: meant.type })),
    ),
  );
  await ports.tellNotJudged(meant);
  ports.log(meant.status === 'refused' ? 'event.refused' : 'event.routed', {
    organizationId,
    eventId: meant.id,
    busEventId,
    eventType: meant.type,
    code: meant.reason,
    breaksSchema: meant.schemaViolation === undefined ? undefined : true,
    notJudged: meant.schemaNotJudged === undefined ? undefined : true,
    endpoints: meant.endpoints.length,
    skipped: meant.skipped.length,
    isDuplicate: before !== undefined,
  });
  return { kind: 'stored' };
}

async function judged(
  ports: RoutePorts,
  arrival: Arrival,
  { organization, endpoints }: Subscribers & { organization: Organization },
): Promise<StoredEvent> {
  const catalogue = await ports.readCatalogue();
  const { type: name } = arrival;
  const type = { name, category: catalogue.get(name)?.category ?? 'test' };
  const wanting = endpoints.filter((endpoint) => wants(endpoint, type));
  const standing = await standings(ports, wanting);
  return eventOf(arrival, catalogue, {
    organization,
    wanting: standing,
    schemas: ports.schemas,
    ...ports.clock,
  });
}

interface Circumstances {
  readonly organization: Organization;
  readonly wanting: readonly Standing[];
  readonly now: Now;
  readonly retentionDays: number;
  readonly schemas: SchemaRule;
}

function eventOf(arrival: Arrival, catalogue: Catalogue, circumstances: Circumstances): StoredEvent {
  const content = contentOf(arrival, catalogue);
  const { busEventId, organizationId, type, source, receivedAtMs } = arrival;
  const valid = content.kind === 'valid' ? content : undefined;
  const timeMs = valid?.timeMs ?? receivedAtMs;
  const id = eventIdOf({ organizationId, timeMs, busEventId, idempotencyKey: valid?.idempotencyKey });
  const timestamp = isoTime(timeMs);
  const category = catalogue.get(type)?.category;
  const common = {
    id,
    organizationId,
    type,
    timestamp,
    receivedAt: isoTime(receivedAtMs),
    source,
    expiresAt: expiryOf(circumstances.now(), circumstances.retentionDays),
  };
  if (content.kind === 'invalid') return refused(common, arrival.rawDetail, content);
  const judgement = judgeData(catalogue.get(type) ?? {}, content.data);
  if (judgement.kind !== 'fits' && circumstances.schemas === 'strict') {
    return refused(common, arrival.rawDetail, refusalOf(judgement));
  }
  const { resource, data } = content;
  const body = packBody(bodyOf({ id, type, timestamp, organizationId, resource, data }));
  if (body === undefined) return refused(common, arrival.rawDetail, tooLarge);
  return {
    ...common,
    ...(category === undefined ? {} : { category }),
    ...(resource === undefined ? {} : { resource }),
    status: 'accepted',
    ...remarkOf(judgement),
    ...meantFor(circumstances),
    body,
  };
}

function refusalOf({ kind, sentence }: Exclude<Judgement, { kind: 'fits' }>) {
  const reason = kind === 'breaks' ? 'schema_violation' : 'schema_not_judged';
  return { reason, explanation: sentence } as const;
}

/** What a stored event says of the schema of its type, where that did not keep it from being delivered. */
function remarkOf(judgement: Judgement): Pick<StoredEvent, 'schemaViolation' | 'schemaNotJudged'> {
  if (judgement.kind === 'fits') return {};
  const { kind, sentence } = judgement;
  return kind === 'breaks' ? { schemaViolation: sentence } : { schemaNotJudged: sentence };
}

const tooLarge = {
  reason: 'event_too_large',
  explanation: 'The event does not fit into the ledger, even compressed.',
} as const;

function contentOf(arrival: Arrival, catalogue: Catalogue): Content {
  const content = readContent(arrival);
  if (content.kind === 'invalid' || isPublishable(catalogue, arrival.type)) return content;
  const explanation = 'The catalogue has no event type of this name (detail-type).';
  return { kind: 'invalid', reason: 'unknown_event_type', explanation };
}

type Common = Omit<StoredEvent, 'status' | 'endpoints' | 'skipped'>;

/** Kept as it came, if it fits: the producer will ask what it was. */
function refused(
  common: Common,
  rawDetail: unknown,
  { reason, explanation }: { reason: RefusalReason; explanation: string },
): StoredEvent {
  const body = packBody(Buffer.from(JSON.stringify(rawDetail)));
  return {
    ...common,
    status: 'refused',
    reason,
    explanation,
    endpoints: [],
    skipped: [],
    ...(body === undefined ? {} : { body }),
  };
}

function meantFor({ organization, wanting }: Circumstances): { endpoints: string[]; skipped: Skipped[] } {
  if (!isEntitled(organization)) {
    return {
      endpoints: [],
      skipped: wanting.map(({ endpointId }) => ({ endpointId, reason: 'not_entitled' })),
    };
  }
  return {
    endpoints: wanting.filter(({ reason }) => reason === undefined).map(({ endpointId }) => endpointId),
    skipped: wanting.flatMap(({ endpointId, reason }) =>
      reason === undefined ? [] : [{ endpointId, reason }],
    ),
  };
}
