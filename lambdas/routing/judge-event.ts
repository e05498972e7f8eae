import type { Subscribers } from '../endpoint/subscribers.ts';
import { wants } from '../endpoint/wants.ts';
import { packBody } from '../event/body.ts';
import { isPublishable } from '../event/catalogue.ts';
import type { Catalogue } from '../event/catalogue.ts';
import { eventIdOf } from '../event/event-id.ts';
import { bodyOf } from '../event/event.ts';
import type { Skipped, StoredEvent } from '../event/event.ts';
import { fingerprintOf } from '../event/publication/fingerprint.ts';
import { readContent } from '../event/published.ts';
import type { Arrival, Content } from '../event/published.ts';
import { judgeData } from '../event/schema.ts';
import type { Judgement, SchemaRule } from '../event/schema.ts';
import { isEntitled } from '../organization/organization.ts';
import type { Organization } from '../organization/organization.ts';
import { expiryOf, isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { refused } from './refused-event.ts';
import { standings } from './standing.ts';
import type { Standing, StandingPorts } from './standing.ts';

export interface JudgePorts extends StandingPorts {
  readonly readCatalogue: () => Promise<Catalogue>;
  readonly clock: { readonly now: Now; readonly retentionDays: number };
  /** What happens to data that break the schema of their type. */
  readonly schemas: SchemaRule;
}

/**
 * What is stored of an event: with the endpoints that it is meant for, and those that it skips; or refused, with the
 * reason.
 */
export async function judged(
  ports: JudgePorts,
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
  const { timeMs, idempotencyKey } = content;
  const id = eventIdOf({ organizationId, timeMs, busEventId, idempotencyKey });
  const timestamp = isoTime(timeMs);
  const category = catalogue.get(type)?.category;
  const common = {
    id,
    organizationId,
    type,
    timestamp,
    receivedAt: isoTime(receivedAtMs),
    source,
    ...fingerprintFor(arrival, content),
    expiresAt: expiryOf(circumstances.now(), circumstances.retentionDays),
  };
  if (content.kind === 'invalid') return refused(common, arrival.detailText, content);
  const judgement = judgeData(catalogue.get(type) ?? {}, content.data, organizationId);
  if (judgement.kind !== 'fits' && circumstances.schemas === 'strict') {
    return refused(common, arrival.detailText, refusalOf(judgement));
  }
  const { resource, dataText } = content;
  const body = packBody(bodyOf({ id, type, timestamp, organizationId, resource, dataText }));
  if (body === undefined) return refused(common, arrival.detailText, tooLarge);
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

/** Without a key the bus's own id makes the event's, and nothing else can have it: there is nothing to compare. */
function fingerprintFor(
  { type, fingerprint, rawDetail: { resource, data } }: Arrival,
  { idempotencyKey }: Content,
): Pick<StoredEvent, 'fingerprint'> {
  if (fingerprint !== undefined) return { fingerprint };
  return idempotencyKey === undefined ? {} : { fingerprint: fingerprintOf({ type, resource, data }) };
}

const tooLarge = {
  reason: 'event_too_large',
  explanation: 'The event does not fit into the ledger, even compressed.',
} as const;

function contentOf(arrival: Arrival, catalogue: Catalogue): Content {
  const content = readContent(arrival);
  if (content.kind === 'invalid' || isPublishable(catalogue, arrival.type)) return content;
  const explanation = 'The catalogue has no event type of this name (detail-type).';
  const { timeMs, idempotencyKey } = content;
  return { kind: 'invalid', timeMs, idempotencyKey, reason: 'unknown_event_type', explanation };
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
