import { isDeepStrictEqual } from 'node:util';
import { delivery } from '../../lambdas/delivery/delivery.ts';
import type { Delivery } from '../../lambdas/delivery/delivery.ts';
import { health } from '../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../lambdas/endpoint/health/health.ts';
import { readEndpoint } from '../../lambdas/endpoint/store.ts';
import { storedEvent } from '../../lambdas/event/event.ts';
import { organization } from '../../lambdas/organization/organization.ts';
import { rounds } from '../../lambdas/recovery/wake/rounds.ts';
import { signingKey } from '../../lambdas/signing/signing-key.ts';
import type { OnWrite } from '../fakes/table/table.ts';
import type { Request } from './book.ts';
import { check } from './invariants/check.ts';
import { ofEvent } from './invariants/of-events.ts';
import { baseMs, ofRecord, ofWaits } from './invariants/of-records.ts';
import { short } from './names.ts';
import { requestOf } from './outcomes.ts';
import { beliefsAt, policiesOf } from './settings.ts';
import { markOf } from './marks.ts';
import type { World } from './world.ts';

/**
 * Everything that is written to a table is seen here, whoever has written it: it is put into the book, and compared
 * with what must always be true.
 */
type Write = Parameters<OnWrite>[0];

export function watchWrite(world: World, write: Write): void {
  const { table, key, after } = write;
  if (table === 'config') {
    watchConfiguration(world, write);
    return;
  }
  watchRow(world, write);
  if (key.pk === 'WAKE') world.woken.rounds = rounds.parse(after);
  else if (key.sk.startsWith('DELIVERY#')) watchDelivery(world, write);
  else if (key.sk === 'HEALTH') watchHealth(world, write);
  else if (key.sk.startsWith('EVENT#')) watchEvent(world, write);
}

function watchConfiguration({ book, time }: World, { key: { sk }, before, after }: Write): void {
  const [kind = '', id = ''] = sk.split('#');
  if (kind === 'ENDPOINT') book.endpoint(id).change(time.now(), readEndpoint(after));
  if (kind === 'ORG') {
    const found = organization.parse(after ?? before);
    book.organization(found.id).change(time.now(), after && found);
  }
  if (kind === 'KEY') book.signingKey(id).change(time.now(), after && signingKey.parse(after));
}

/**
 * Which rows wait, and until when they do not count any more. A row that waits for a time stands ahead of whoever comes.
 */
function watchRow(world: World, { key: { pk, sk }, before, after }: Write): void {
  const { rows } = world;
  const name = `${pk} ${sk}`;
  const { waiting, waitingAt, expiresAt } = after ?? {};
  const isDue = typeof waiting === 'string' && waiting.startsWith('DUE#') && typeof waitingAt === 'string';
  if (isDue && waitingAt !== before?.['waitingAt'] && waitingAt <= markOf(world, waiting))
    world.violate('I18', `${name} stands where nobody looks for an hour: ${waitingAt}`);
  countWaits(world, { before: before?.['waiting'], after: waiting });
  if (waiting === undefined) rows.delete(name);
  else rows.set(name, typeof expiresAt === 'number' ? expiresAt * 1000 : Infinity);
}

function countWaits({ book, time }: World, { before, after }: { before: unknown; after: unknown }): void {
  if (before === after) return;
  for (const [place, change] of [[before, -1] as const, [after, 1] as const]) {
    if (typeof place !== 'string' || !place.startsWith('ENDPOINT#')) continue;
    const waits = book.waitsOf(place.slice('ENDPOINT#'.length));
    waits.push({ sinceMs: time.now(), count: (waits.at(-1)?.count ?? 0) + change });
  }
}

function watchDelivery(world: World, { key: { pk, sk }, after: item }: Write): void {
  const { book, time, journal } = world;
  const dossier = book.dossier(pk.slice('ENDPOINT#'.length), sk.slice('DELIVERY#'.length));
  if (item === undefined) {
    if (dossier.delivery !== undefined) dossier.swept = dossier.delivery;
    delete dossier.delivery;
    return;
  }
  const after = delivery.parse(item);
  const there = dossier.delivery;
  dossier.delivery = after;
  // What was owed has been sent; the SDK may say so twice.
  if (isDeepStrictEqual({ ...there, owes: undefined }, { ...after, owes: undefined })) return;
  const isForgotten = there !== undefined && there.expiresAt * 1000 <= time.now();
  // Nobody owes what has been forgotten.
  if (isForgotten) {
    dossier.owedRound = 1;
    dossier.wasForgotten = true;
  }
  const before = isForgotten ? undefined : there;
  const nowMs = time.now();
  journal.tell(nameOfHand(world), () => `writes ${describe(after)}`);
  const isAttempt = after.status !== 'discarded' && after.attemptCount > (before?.attemptCount ?? 0);
  const request = isAttempt ? requestOf(dossier, after, nowMs) : undefined;
  if (request !== undefined) request.isSettled = true;
  const beliefs = beliefsAt(book, after.endpointId, nowMs);
  check(world, ofRecord, { world, before, after, dossier, request, beliefs, isAttempt });
  journal.trace(after.attemptCount);
  if (isAttempt) dossier.lastPass = undefined;
  if (after.nextAttemptAt !== undefined) dossier.dueAtMs = Date.parse(after.nextAttemptAt);
  if (request === undefined) return;
  dossier.lastRecorded = {
    request,
    round: after.round,
    attemptOfRound: after.attemptCount - after.roundStart,
  };
  dossier.recorded += 1;
  noteWait(world, after, request);
}

function nameOfHand({ hand }: World): string {
  return hand.life?.name ?? 'somebody';
}

function describe(one: Delivery): string {
  const { endpointId, eventId, status, attemptCount, round, reason, lastError, waiting } = one;
  const why = reason ?? lastError ?? '';
  const where = waiting === undefined ? '' : `, in ${waiting.slice(0, 9)}`;
  return `${short(endpointId)}/${short(eventId)} ${status} ${why} (attempt ${attemptCount}, round ${round}${where})`;
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

function watchEvent(world: World, { before, after }: Write): void {
  if (after === undefined) return;
  const event = storedEvent.parse(after);
  world.book.events.set(event.id, event);
  world.journal.tell(
    nameOfHand(world),
    () => `stores ${short(event.id)}, ${event.status}, for ${event.endpoints.map(short).join(' ')}`,
  );
  if (before === undefined) check(world, ofEvent, { world, event });
}

/** Whoever takes the lease of a breaker is written down. */
function watchHealth(world: World, { key, before: old, after: young }: Write): void {
  const { book, time, journal, hand } = world;
  const endpointId = key.pk.slice('ENDPOINT#'.length);
  if (young === undefined) return;
  const after = health.parse(young);
  const before = old && health.parse(old);
  book.health(endpointId).change(time.now(), after);
  book.healthWriters.set(endpointId, nameOfHand(world));
  if (before !== undefined && isLease(before, after))
    book.leases.push({ endpointId, instance: nameOfHand(world), atMs: time.now(), isUsed: false });
  journal.tell(hand.life?.name ?? 'somebody', () => `finds ${short(endpointId)} ${standingOf(after)}`);
}

/** A probe is under way from then on. */
function isLease({ pause: before }: Health, { pause: after }: Health): boolean {
  return after?.probing === true && before !== undefined && before.until !== after.until;
}

function standingOf({ off, pause, failures, backlog, slow }: Health): string {
  const standing =
    off !== undefined
      ? `off: ${off.reason}`
      : pause === undefined
        ? `on, ${failures} failures`
        : `paused until ${pause.until}${pause.probing ? ', probing' : ''}`;
  const waits =
    backlog === undefined
      ? ''
      : `, backlog turn ${backlog.turn} pass ${backlog.pass} due ${backlog.dueAt}${backlog.emptyAt === undefined ? '' : ' empty'}`;
  return `${standing}${slow === undefined ? '' : `, slow ${slow.ms}`}${waits}`;
}
