import type { Delivery, DeliveryStatus, DeliverySummary } from '../../delivery/delivery.ts';
import type { EventSummary, Span } from '../../event/event.ts';
import type { Page, PageQuery } from '../../shared/page.ts';
import type { Now } from '../../shared/time.ts';
import { overdueMsMax, queuedMsMax } from '../candidates.ts';
import { aTally } from './tally.ts';
import type { Reconciliation, Tally } from './tally.ts';

export interface ReconcilePorts {
  readonly listOrganizations: (page: PageQuery) => Promise<Page<{ readonly id: string }>>;
  readonly ledger: {
    /** Events of an organization within a span, oldest first. */
    readonly listEvents: (organizationId: string, span: Span, page: PageQuery) => Promise<Page<EventSummary>>;
    /** Deliveries of an organization that are being retried, as they were a moment ago. */
    readonly listRetrying: (organizationId: string, page: PageQuery) => Promise<Page<DeliverySummary>>;
    /** As it is now; reads of one turn travel together. */
    readonly readDelivery: (endpointId: string, eventId: string) => Promise<Delivery | undefined>;
  };
  /** Whether deliveries to an endpoint have a reason to wait, or may still be on their way back from one. */
  readonly isWaiting: (endpointId: string) => Promise<boolean>;
  /** Hears of each organization when it has been looked at. */
  readonly tell: (organizationId: string, outcome: Reconciliation) => Promise<void>;
  readonly clock: { readonly now: Now; readonly hasTime: () => boolean };
}

export interface ReconcileQuery extends Span {
  /** Only this one; all of them, if left out. */
  readonly organizationId?: string | undefined;
}

/**
 * Compares the accepted events of a span with what became of them: for each endpoint that an event is meant for, the
 * ledger must hold a delivery (R15). Then looks for deliveries, of whatever event, whose next attempt should have
 * been made long ago: the message that would have asked for it is lost.
 */
export async function reconcile(ports: ReconcilePorts, query: ReconcileQuery): Promise<Reconciliation> {
  const { organizationId } = query;
  const all = aTally();
  const list =
    organizationId === undefined
      ? ports.listOrganizations
      : () => Promise.resolve({ data: [{ id: organizationId }], nextCursor: null });
  const isComplete = await eachPage(ports, list, async (organizations) => {
    for (const { id } of organizations) {
      if (!ports.clock.hasTime()) return false;
      const own = await reconcileOne(ports, id, query);
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
  organizationId: string,
  span: Span,
): Promise<Reconciliation> {
  const { listEvents, listRetrying } = ports.ledger;
  const tally = aTally();
  tally.count('organizations');
  const isComplete =
    (await eachPage(
      ports,
      (page) => listEvents(organizationId, span, page),
      (events) => countEnds(ports, tally, events),
    )) &&
    (await eachPage(
      ports,
      (page) => listRetrying(organizationId, page),
      (retrying) => findOverdue(ports, tally, retrying),
    ));
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

async function countEnds(
  ports: ReconcilePorts,
  tally: Tally,
  events: readonly EventSummary[],
): Promise<boolean> {
  const accepted = events.filter(({ status }) => status === 'accepted');
  const due = accepted.flatMap((event) => event.endpoints.map((endpointId) => ({ event, endpointId })));
  tally.count('events', accepted.length);
  for (let from = 0; from < due.length; from += readsMax) {
    const some = due.slice(from, from + readsMax);
    const ends = await Promise.all(some.map(async (one) => ({ ...one, end: await endOf(ports, one) })));
    tally.count('deliveries', ends.length);
    for (const { event, endpointId, end } of ends) {
      if (end !== 'missing') tally.count(end);
      else tally.find({ organizationId: event.organizationId, endpointId, eventId: event.id, kind: end });
    }
  }
  return true;
}

interface Due {
  readonly event: EventSummary;
  readonly endpointId: string;
}

async function endOf(
  { ledger, isWaiting, clock }: ReconcilePorts,
  { event: { id, receivedAt }, endpointId }: Due,
): Promise<Exclude<DeliveryStatus, 'failed'> | 'waiting' | 'missing'> {
  const delivery = await ledger.readDelivery(endpointId, id);
  // Only a test fails, and no stored event is one.
  if (delivery !== undefined && delivery.status !== 'failed') return delivery.status;
  // What happened long ago may have come in a moment ago.
  const isYoung = Date.parse(receivedAt) > clock.now() - queuedMsMax;
  return isYoung || (await isWaiting(endpointId)) ? 'waiting' : 'missing';
}

/** Whether the next attempt should have been made long ago; if so, when. */
function dueSince(
  { status, nextAttemptAt, updatedAt }: Pick<Delivery, 'status' | 'nextAttemptAt' | 'updatedAt'>,
  nowMs: number,
): string | undefined {
  const dueAt = nextAttemptAt ?? updatedAt;
  return status === 'retrying' && Date.parse(dueAt) < nowMs - overdueMsMax ? dueAt : undefined;
}

async function findOverdue(
  { ledger, isWaiting, clock }: ReconcilePorts,
  tally: Tally,
  retrying: readonly DeliverySummary[],
): Promise<boolean> {
  const nowMs = clock.now();
  const suspects = retrying.filter((one) => dueSince(one, nowMs) !== undefined);
  const overdue = suspects.map(async ({ organizationId, endpointId, eventId }) => {
    // The index may be behind: what it shows may have been tried a moment ago.
    const latest = await ledger.readDelivery(endpointId, eventId);
    const since = latest === undefined ? undefined : dueSince(latest, nowMs);
    if (since === undefined || (await isWaiting(endpointId))) return [];
    return [{ organizationId, endpointId, eventId, kind: 'overdue' as const }];
  });
  for (const finding of (await Promise.all(overdue)).flat()) tally.find(finding);
  return true;
}
