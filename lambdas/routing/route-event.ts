import { isDeepStrictEqual } from 'node:util';
import { firstMessage } from '../delivery/message.ts';
import type { DeliveryMessage } from '../delivery/message.ts';
import type { StoredEvent } from '../event/event.ts';
import { readArrival, readJson } from '../event/published.ts';
import type { Arrival } from '../event/published.ts';
import type { Log, LogFields } from '../shared/log.ts';
import { deployment } from '../shared/versions.ts';
import type { Versions } from '../shared/versions.ts';
import { judged } from './judge-event.ts';
import type { JudgePorts } from './judge-event.ts';
import { keepEvent } from './keep-event.ts';
import type { KeepPorts } from './keep-event.ts';
import { traceOf } from './of-nobody.ts';
import type { LookUpSubscribers } from './remember-unknown.ts';
import type { TellNotJudged } from './tell-not-judged.ts';

export interface RoutePorts extends JudgePorts, KeepPorts {
  readonly lookUpSubscribers: LookUpSubscribers;
  /** What this and the catalogue have answered, and answer next, is as of the versions that were seen last. */
  readonly versions: Versions;
  readonly send: (message: DeliveryMessage) => Promise<void>;
  readonly tellNotJudged: TellNotJudged;
  readonly log: Log;
}

/** What became of an event: it is stored, or no organization could ever see it. */
export type Routed =
  | { readonly kind: 'stored' }
  /** With what can be said of it in a log line. */
  | { readonly kind: 'of_nobody'; readonly why: LogFields };

/** How an event has come. */
export interface Receipt {
  /** When the queue took it, by the queue's clock, in milliseconds since 1970: a producer's clock may be anything. */
  readonly receivedAtMs: number;
  /** Id of the message: when it comes again, it has the same. */
  readonly messageId: string;
  /** The answer that an organization does not exist is younger than this; milliseconds since 1970. */
  readonly sinceMs: number;
}

/**
 * Routes an event from the bus: stores it with the endpoints it is meant for, then asks for one delivery each.
 * What breaks a rule is stored as refused, where its organization finds it with the reason. Only what names no
 * organization that exists is of nobody.
 *
 * Stored before it is sent: a crash in between is repaired by the message that comes back, for the same event
 * always has the same id, and what is stored decides who gets it.
 *
 * @param busEvent as it came from the queue: the text of `data` in it is what receivers get
 */
export async function routeEvent(ports: RoutePorts, busEvent: string, receipt: Receipt): Promise<Routed> {
  const arrival = readArrival(busEvent, receipt.receivedAtMs);
  if (arrival === undefined) {
    return { kind: 'of_nobody', why: { code: 'malformed_event', ...traceOf(readJson(busEvent)) } };
  }
  const { organizationId, busEventId, type, source } = arrival;
  const judgement = await judgedAsOfNow(ports, arrival, receipt.sinceMs);
  if (judgement === undefined) {
    const why = { code: 'unknown_organization', organizationId, busEventId, source, eventType: type };
    return { kind: 'of_nobody', why };
  }
  const { messageId } = receipt;
  const { event: meant, isDuplicate } = await keepEvent(ports, arrival, {
    ...judgement,
    routedBy: messageId,
  });
  if (!isDuplicate || !isAnswered(meant, messageId, ports.clock.now())) await askForDeliveries(ports, meant);
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
    isDuplicate,
  });
  return { kind: 'stored' };
}

/** The version by which it was routed goes with each message: a function that has seen none need not look first. */
async function askForDeliveries(
  { send, versions }: Pick<RoutePorts, 'send' | 'versions'>,
  { organizationId, id: eventId, type: eventType, endpoints }: StoredEvent,
): Promise<void> {
  const configuration = await versions.seen(organizationId);
  const common = { organizationId, eventId, eventType, configuration };
  await Promise.all(endpoints.map((endpointId) => send(firstMessage({ ...common, endpointId }))));
}

/**
 * For so long after an event came in, whoever stored it answers for its deliveries: it has sent them, or its message is
 * still in the queue and comes again when its visibility ends. Far shorter than that time: only after it could the
 * message fall into the dead-letter queue, and be redriven as another one.
 */
const answeredMs = 60_000;

/** Whether another message answers for the deliveries of an event, so that a copy need not ask for them again. */
function isAnswered({ routedBy, receivedAt }: StoredEvent, messageId: string, nowMs: number): boolean {
  if (routedBy === undefined || routedBy === messageId) return false;
  return nowMs - Date.parse(receivedAt) < answeredMs;
}

/** Whoever changes it more often in the middle of one event has it judged by one of his changes. */
const looksMax = 3;

/**
 * Judges by what is remembered of the configuration, and meanwhile asks whether that is still so: a change is heeded
 * from its answer on, and no event waits for the question. An event has come before it is judged, and a change that was
 * answered before that is seen, however short before: the preview has promised it.
 *
 * @returns nothing when there is no such organization
 */
async function judgedAsOfNow(
  ports: RoutePorts,
  arrival: Arrival,
  sinceMs: number,
): Promise<StoredEvent | undefined> {
  const { organizationId } = arrival;
  const { seen, latest } = ports.versions;
  const beganMs = ports.clock.now();
  for (let looks = 1; ; looks += 1) {
    const versions = await Promise.all([seen(organizationId), seen(deployment)]);
    const { organization, endpoints } = await ports.lookUpSubscribers(organizationId, sinceMs);
    if (organization === undefined) return undefined;
    const [event, ...versionsNow] = await Promise.all([
      judged(ports, arrival, { organization, endpoints }),
      latest(organizationId, beganMs),
      latest(deployment, beganMs),
    ]);
    if (isDeepStrictEqual(versions, versionsNow) || looks === looksMax) return event;
  }
}
