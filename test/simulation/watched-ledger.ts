import { isDeepStrictEqual } from 'node:util';
import type { Delivery } from '../../lambdas/delivery/delivery.ts';
import { well } from '../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../lambdas/endpoint/health/health.ts';
import type { HealthStore } from '../../lambdas/endpoint/health/remembered.ts';
import type { StoredEvent } from '../../lambdas/event/event.ts';
import type { Dossier, Request } from './book.ts';
import { check } from './invariants/check.ts';
import { ofEvent } from './invariants/of-events.ts';
import { baseMs, needlessCopies, ofRecord, ofWaits } from './invariants/of-records.ts';
import type { Life } from './life.ts';
import { short } from './names.ts';
import { beliefsAt, policiesOf } from './settings.ts';
import type { World } from './world.ts';

/**
 * What a function reaches, with somebody looking on: each call is carried out by a stand-in, written down, and
 * compared with what must always be true.
 */

/** The ledger's write of an outcome. */
export function watchRecord(world: World, life: Life) {
  const { book, time, journal } = world;
  return async function record(after: Delivery): Promise<'recorded' | 'superseded'> {
    const dossier = book.dossier(after.endpointId, after.eventId);
    const before = dossier.delivery;
    const outcome = await world.ledger.record(after);
    journal.tell(life.name, () => `records ${describe(after)}: ${outcome}`);
    // The SDK may make a write twice; and two copies of a message may meet the same end at the same moment.
    if (before?.updatedAt === after.updatedAt && isDeepStrictEqual(before, after)) return outcome;
    // Its number is taken by a round before: it will be recorded under the next one.
    if (outcome === 'superseded' && before !== undefined && before.round < after.round) return outcome;
    const request =
      after.status === 'discarded' ? undefined : requestOf(dossier, { life, after, nowMs: time.now() });
    if (request !== undefined) request.isSettled = true;
    if (outcome === 'superseded') {
      if (request !== undefined) noteOvertaken(world, dossier, after.attemptCount);
      return outcome;
    }
    const beliefs = beliefsAt(book, after.endpointId, time.now());
    check(world, ofRecord, { world, before, after, dossier, request, beliefs });
    dossier.delivery = after;
    journal.trace(after.attemptCount);
    if (request !== undefined) {
      dossier.lastRecorded = request;
      dossier.recorded += 1;
      noteWait(world, after, request);
    }
    return outcome;
  };
}

function describe({ endpointId, eventId, status, attemptCount, round, reason, lastError }: Delivery): string {
  const why = reason ?? lastError ?? '';
  return `${short(endpointId)}/${short(eventId)} ${status} ${why} (attempt ${attemptCount}, round ${round})`;
}

interface Recording {
  readonly life: Life;
  readonly after: Delivery;
  readonly nowMs: number;
}

/** The request whose outcome is recorded: the last that the same instance made, answered so, and not yet settled. */
function requestOf({ requests }: Dossier, { life, after, nowMs }: Recording): Request | undefined {
  const made = after.attempts.at(-1);
  if (made === undefined) return undefined;
  return requests.findLast(({ instance, isSettled, answer, atMs, answeredAtMs }) => {
    if (instance !== life.name || isSettled || answeredAtMs > nowMs) return false;
    if (answeredAtMs - atMs !== made.durationMs) return false;
    return answer.kind === 'response' ? answer.status === made.statusCode : answer.code === made.code;
  });
}

function noteOvertaken(world: World, dossier: Dossier, attempt: number): void {
  dossier.overtaken.set(attempt, (dossier.overtaken.get(attempt) ?? 0) + 1);
  const text = needlessCopies(world.book, dossier);
  if (text !== undefined) world.violate('I6', text);
}

function noteWait(world: World, { nextAttemptAt, updatedAt, ...after }: Delivery, request: Request): void {
  if (nextAttemptAt === undefined || request.hintMs > 0) return;
  const [policy, ...others] = policiesOf(beliefsAt(world.book, after.endpointId, world.time.now()));
  if (policy === undefined || others.length > 0) return;
  const base = baseMs(policy.retry, after.attemptCount - after.roundStart);
  const waits = world.book.waits.get(base) ?? { all: 0, exact: 0 };
  waits.all += 1;
  if (Date.parse(nextAttemptAt) - Date.parse(updatedAt) === base) waits.exact += 1;
  world.book.waits.set(base, waits);
  check(world, ofWaits, world.book);
}

/** Events as they are stored. */
export function watchAdd(world: World, life: Life) {
  return async function add(event: StoredEvent): Promise<StoredEvent | undefined> {
    const before = await world.ledger.events.add(event);
    world.journal.tell(
      life.name,
      () => `stores ${short(event.id)}, ${event.status}, for ${event.endpoints.map(short).join(' ')}`,
    );
    if (before === undefined) {
      world.book.events.set(event.id, event);
      check(world, ofEvent, { world, event });
    }
    return before;
  };
}

/** What is known of endpoints; whoever takes the lease of a breaker is written down. */
export function watchHealth(world: World, life: Life): HealthStore {
  const { health, book, time, chance, weather } = world;
  return {
    // Not read with strong consistency, so what was written a moment ago may not be seen.
    read: (endpointId) => {
      if (!chance.isLucky(weather.reorder)) return health.read(endpointId);
      const [oldest = well] = book.health(endpointId).between(time.now() - 1_000, time.now());
      return Promise.resolve(oldest);
    },
    readLatest: health.readLatest,
    replace: async (endpointId, before, after) => {
      const isReplaced = await health.replace(endpointId, before, after);
      if (!isReplaced) return false;
      book.health(endpointId).change(time.now(), { ...after, version: before.version + 1 });
      const nowMs = time.now() + life.skewMs;
      if (isLease(before, after, nowMs))
        book.leases.push({ endpointId, instance: life.name, atMs: time.now(), isUsed: false });
      world.journal.tell(life.name, () => `finds ${short(endpointId)} ${standingOf(after)}`);
      return true;
    },
  };
}

/** A lease prolongs the same pause by a minute, once it is over. */
function isLease({ pause: before }: Health, { pause: after }: Health, nowMs: number): boolean {
  if (before === undefined || after?.since !== before.since || after.seconds !== before.seconds) return false;
  return Date.parse(before.until) <= nowMs && Date.parse(after.until) > nowMs;
}

function standingOf({ off, pause, failures }: Health): string {
  if (off !== undefined) return `off: ${off.reason}`;
  return pause === undefined ? `on, ${failures} failures` : `paused until ${pause.until}`;
}
