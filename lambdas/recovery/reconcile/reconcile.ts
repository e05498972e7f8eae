import { isParked } from '../../delivery/delivery.ts';
import type { Delivery, DeliveryStatus } from '../../delivery/delivery.ts';
import { unrecordedMsMax } from '../../delivery/hold.ts';
import type { EventSummary, Span } from '../../event/event.ts';
import type { Page, PageQuery } from '../../shared/page.ts';
import type { Now } from '../../shared/time.ts';
import { timeOfPlace } from '../../shared/waiting.ts';
import { sentOnMsMax } from '../candidates.ts';
import { aTally } from './tally.ts';
import type { Reconciliation, Tally } from './tally.ts';

export interface ReconcilePorts {
  readonly listOrganizations: (page: PageQuery) => Promise<Page<{ readonly id: string }>>;
  readonly ledger: {
    /** Events of an organization within a span, oldest first. */
    readonly listEvents: (organizationId: string, span: Span, page: PageQuery) => Promise<Page<EventSummary>>;
    /** Deliveries, of whatever organization, that have waited for a time since long ago; as they were a moment ago. */
    readonly listOverdue: (beforeMs: number) => Promise<readonly Overdue[]>;
    /** As it is now; reads of one turn travel together. */
    readonly readDelivery: (endpointId: string, eventId: string) => Promise<Delivery | undefined>;
  };
  /** Whether somebody comes for what waits for an endpoint. */
  readonly isAttended: (endpointId: string) => Promise<boolean>;
  /** Hears of each organization when it has been looked at. */
  readonly tell: (organizationId: string, outcome: Reconciliation) => Promise<void>;
  readonly clock: { readonly now: Now; readonly hasTime: () => boolean };
}

/** What should have been sent on long ago. */
export type Overdue = Pick<Delivery, 'organizationId' | 'endpointId' | 'eventId'>;

export interface ReconcileQuery extends Span {
  /** Only this one; all of them, if left out. */
  readonly organizationId?: string | undefined;
}

/**
 * Compares the accepted events of a span with what became of them: for each endpoint that an event is meant for, the
 * ledger must hold a delivery, and one that is being retried must have somebody who comes for it; and what the API has
 * published must have been routed. Then looks for deliveries, of whatever event, that should have been sent on long ago.
 */
export async function reconcile(ports: ReconcilePorts, query: ReconcileQuery): Promise<Reconciliation> {
  const { organizationId } = query;
  const all = aTally();
  const overdue = await ports.ledger.listOverdue(ports.clock.now() - sentOnMsMax);
  const list =
    organizationId === undefined
      ? ports.listOrganizations
      : () => Promise.resolve({ data: [{ id: organizationId }], nextCursor: null });
  const isComplete = await eachPage(ports, list, async (organizations) => {
    for (const { id } of organizations) {
      if (!ports.clock.hasTime()) return false;
      const suspects = overdue.filter((one) => one.organizationId === id);
      const own = await reconcileOne(ports, { organizationId: id, suspects }, query);
      await ports.tell(id, own);
      all.add(own);
      if (!own.isComplete) return false;
    }
    return true;
  });
  return all.result(isComplete);
}

async function reconcileOne(
  ports: ReconcilePorts,
  { organizationId, suspects }: { organizationId: string; suspects: readonly Overdue[] },
  span: Span,
): Promise<Reconciliation> {
  const { listEvents } = ports.ledger;
  const tally = aTally();
  const left = new Map(suspects.map((one) => [nameOf(one), one]));
  tally.count('organizations');
  const isComplete = await eachPage(
    ports,
    (page) => listEvents(organizationId, span, page),
    (events) => countEnds(ports, { tally, left }, events),
  );
  // Of the events of the span it is known already.
  if (isComplete) await findOverdue(ports, tally, [...left.values()]);
  return tally.result(isComplete);
}

/** Few, so that a slow page is over long before the time is. */
const pageItems = 100;

/** Works through a list; false when time ran out, or the work says so. */
async function eachPage<Item>(
  { clock }: ReconcilePorts,
  list: (page: PageQuery) => Promise<Page<Item>>,
  work: (items: readonly Item[]) => Promise<boolean>,
): Promise<boolean> {
  let cursor: string | undefined;
  do {
    if (!clock.hasTime()) return false;
    const page: Page<Item> = await list({ limit: pageItems, cursor });
    if (!(await work(page.data))) return false;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return true;
}

/** Deliveries that are read at the same time, in ten calls: an event may be meant for very many endpoints. */
const readsMax = 1_000;

interface Looked {
  readonly tally: Tally;
  /** What seems to be overdue, and was not looked at yet. */
  readonly left: Map<string, Overdue>;
}

async function countEnds(
  ports: ReconcilePorts,
  { tally, left }: Looked,
  events: readonly EventSummary[],
): Promise<boolean> {
  for (const { organizationId, id } of events.filter((event) => isUnrouted(event, ports.clock.now())))
    tally.find({ organizationId, eventId: id, kind: 'unrouted' });
  const accepted = events.filter(({ status }) => status === 'accepted');
  const due = accepted.flatMap((event) => event.endpoints.map((endpointId) => ({ event, endpointId })));
  tally.count('events', accepted.length);
  for (let from = 0; from < due.length; from += readsMax) {
    const some = due.slice(from, from + readsMax);
    const ends = await Promise.all(some.map(async (one) => ({ ...one, end: await endOf(ports, one) })));
    tally.count('deliveries', ends.length);
    for (const { event, endpointId, end } of ends) {
      const one = { organizationId: event.organizationId, endpointId, eventId: event.id };
      left.delete(nameOf(one));
      if (end !== 'missing') tally.count(end === 'overdue' ? 'retrying' : end);
      if (end === 'missing' || end === 'overdue') tally.find({ ...one, kind: end });
    }
  }
  return true;
}

/** Whether the bus or a queue still has an event after so long: or its publisher died, and nobody was told of it. */
function isUnrouted({ status, receivedAt }: EventSummary, nowMs: number): boolean {
  return status === 'queued' && Date.parse(receivedAt) <= nowMs - unrecordedMsMax;
}

function nameOf({ endpointId, eventId }: Pick<Overdue, 'endpointId' | 'eventId'>): string {
  return `${endpointId} ${eventId}`;
}

interface Due {
  readonly event: EventSummary;
  readonly endpointId: string;
}

async function endOf(
  ports: ReconcilePorts,
  { event: { id, receivedAt }, endpointId }: Due,
): Promise<Exclude<DeliveryStatus, 'failed'> | 'waiting' | 'missing' | 'overdue'> {
  const nowMs = ports.clock.now();
  const delivery = await ports.ledger.readDelivery(endpointId, id);
  // What happened long ago may have come in a moment ago. (Only a test fails, and no stored event is one.)
  if (delivery === undefined || delivery.status === 'failed') {
    return Date.parse(receivedAt) > nowMs - unrecordedMsMax ? 'waiting' : 'missing';
  }
  return (await isOverdue(ports, delivery)) ? 'overdue' : delivery.status;
}

/** Whether nobody has come for a delivery that should have been tried again long ago. */
async function isOverdue({ isAttended, clock }: ReconcilePorts, delivery: Delivery): Promise<boolean> {
  const { status, waiting, waitingAt, nextAttemptAt, updatedAt, endpointId } = delivery;
  if (status !== 'retrying') return false;
  const nowMs = clock.now();
  if (waiting === undefined || waitingAt === undefined) {
    return Date.parse(nextAttemptAt ?? updatedAt) < nowMs - unrecordedMsMax;
  }
  if (timeOfPlace({ waitingAt }) > nowMs - sentOnMsMax) return false;
  return !isParked(delivery) || !(await isAttended(endpointId));
}

async function findOverdue(ports: ReconcilePorts, tally: Tally, suspects: readonly Overdue[]): Promise<void> {
  const found = suspects.map(async ({ organizationId, endpointId, eventId }) => {
    // The index may be behind: what it shows may have been tried a moment ago.
    const latest = await ports.ledger.readDelivery(endpointId, eventId);
    if (latest === undefined || !(await isOverdue(ports, latest))) return [];
    return [{ organizationId, endpointId, eventId, kind: 'overdue' as const }];
  });
  for (const finding of (await Promise.all(found)).flat()) tally.find(finding);
}
