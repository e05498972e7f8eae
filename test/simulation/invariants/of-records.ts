import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import { isEntitled } from '../../../lambdas/organization/organization.ts';
import type { Book, Dossier, Request } from '../book.ts';
import { beliefsAt, policiesOf } from '../settings.ts';
import type { Beliefs } from '../settings.ts';
import { isSwift } from '../weather.ts';
import type { World } from '../world.ts';
import type { Check, Checks } from './check.ts';
import { isWanted } from './of-events.ts';
import { secretIn } from './secrecy.ts';

export interface RecordFacts {
  readonly world: World;
  readonly before: Delivery | undefined;
  readonly after: Delivery;
  readonly dossier: Dossier;
  /** The request whose outcome it is, of which nothing was recorded before. */
  readonly request: Request | undefined;
  readonly beliefs: Beliefs;
  /** What is recorded is an attempt: not that it waits, or that there will be none. */
  readonly isAttempt: boolean;
}

/** Whoever opens a round has been asked to: by hand, by a recovery or by a redrive. */
const endedStaysEnded: Check<RecordFacts> = ({ world: { book }, before, after, dossier }) => {
  if (before !== undefined && after.round < before.round)
    return `round ${after.round} is recorded over round ${before.round}`;
  const isReopened = before !== undefined && before.status !== 'retrying';
  if (isReopened && after.round === before.round) return `it was ${before.status}, and goes on`;
  const roundsMax = 1 + dossier.askedFor + book.redrives;
  return after.round > roundsMax ? `round ${after.round} has begun, and nobody asked for it` : undefined;
};

/** An end that was not reached by an attempt has a reason, and the reason is true. */
const explained: Check<RecordFacts> = ({ world, after, beliefs }) => {
  if (after.status !== 'discarded') return undefined;
  return isTrue(world, after, beliefs)
    ? undefined
    : `it is discarded as ${after.reason ?? 'nothing'}, which is not true`;
};

/** Who receives nothing is not remembered: so old is what a discard follows from, by the calls after the look. */
const freshMs = { swift: 1_000, slow: 40_000 };

function isTrue({ book, time, weather }: World, after: Delivery, { health }: Beliefs): boolean {
  const fromMs = time.now() - (isSwift(weather) ? freshMs.swift : freshMs.slow);
  const endpoints = book.endpoint(after.endpointId).between(fromMs, time.now());
  const organizations = book.organization(after.organizationId).between(fromMs, time.now());
  if (after.reason === undefined) return false;
  switch (after.reason) {
    case 'endpoint_deleted':
      return endpoints.includes(undefined);
    case 'endpoint_disabled':
      return (
        endpoints.some((one) => one?.active === false) || health.some(({ off }) => off?.reason === 'failing')
      );
    case 'gone':
      return health.some(({ off }) => off?.reason === 'gone');
    case 'not_entitled':
      return organizations.some((one) => one === undefined || !isEntitled(one));
    case 'unsubscribed': {
      const event = book.events.get(after.eventId);
      return endpoints.some((one) => one !== undefined && event !== undefined && !isWanted(one, event));
    }
    case 'expired': {
      const expiresAt = book.events.get(after.eventId)?.expiresAt ?? 0;
      return expiresAt * 1000 <= time.now() + weather.skewMs;
    }
  }
}

const reallyDelivered: Check<RecordFacts> = (facts) => {
  if (facts.after.status !== 'delivered') return undefined;
  const answer = facts.request?.answer;
  const isOk = answer?.kind === 'response' && answer.status >= 200 && answer.status <= 299;
  return isOk ? undefined : 'nobody has answered 2xx';
};

const withinBudget: Check<RecordFacts> = (facts) => {
  const {
    world: { book },
    after,
  } = facts;
  if (!facts.isAttempt) return undefined;
  const ever = {
    endpoints: book.endpoint(after.endpointId).all(),
    organizations: book.organization(after.organizationId).all(),
    health: [],
  };
  const most = Math.max(...policiesOf(ever).map(({ retry }) => retry.maximumAttempts));
  const used = after.attemptCount - after.roundStart;
  return used > most ? `attempt ${used} of a round of ${most}` : undefined;
};

/** The least wait before the attempt that follows a request, by any policy that may be believed. */
function leastWaitMs({ answer, hintMs }: Request, attemptOfRound: number, beliefs: Beliefs): number {
  if (answer.kind === 'response' && answer.status <= 299) return 0;
  const waits = policiesOf(beliefs).map(({ retry }) => baseMs(retry, attemptOfRound) * 0.8);
  return Math.max(hintMs, Math.min(...waits));
}

interface Schedule {
  readonly initialBackoffSeconds: number;
  readonly multiplier: number;
  readonly maximumBackoffSeconds: number;
}

/** Said once more, and not taken from the engine. */
export function baseMs(
  { initialBackoffSeconds, multiplier, maximumBackoffSeconds }: Schedule,
  attempt: number,
): number {
  return 1000 * Math.min(maximumBackoffSeconds, initialBackoffSeconds * multiplier ** (attempt - 1));
}

/** Later requests may be copies; those that are recorded come one after the other, and not too soon. */
const waitsLongEnough: Check<RecordFacts> = (facts) => {
  const {
    world: { book, weather },
    after,
    dossier: { lastRecorded, wasForgotten },
    request,
  } = facts;
  if (!facts.isAttempt || request === undefined || lastRecorded === undefined) return undefined;
  // Whoever opens a round does not wait.
  if (lastRecorded.round !== after.round) return undefined;
  // A message of before may still be under way, and nobody knows of it.
  if (wasForgotten) return undefined;
  const { request: last, attemptOfRound } = lastRecorded;
  const beliefs = beliefsAt(book, after.endpointId, last.answeredAtMs);
  const leastMs = leastWaitMs(last, attemptOfRound, beliefs);
  const waitedMs = request.atMs - last.answeredAtMs;
  // Two clocks of ours, each of which may have been set in between; a wait is in whole milliseconds.
  const looseMs = 4 * weather.skewMs + 1;
  return waitedMs + looseMs < leastMs
    ? `it waited ${waitedMs} ms, and had to wait ${Math.round(leastMs)}`
    : undefined;
};

/** Whatever of ours fails, an attempt is a request that was made. */
const ownFaultsAreFree: Check<RecordFacts> = (facts) =>
  facts.isAttempt && facts.request === undefined && !facts.dossier.wasForgotten
    ? `attempt ${facts.after.attemptCount} is recorded, and no request was made for it`
    : undefined;

const countsOn: Check<RecordFacts> = ({ before, after, dossier, isAttempt }) => {
  if (dossier.wasForgotten) return undefined;
  const count = before?.attemptCount ?? 0;
  return after.attemptCount !== (isAttempt ? count + 1 : count)
    ? `after attempt ${count} comes attempt ${after.attemptCount}`
    : undefined;
};

export const ofRecord: Checks<RecordFacts> = [
  ['I1', endedStaysEnded],
  ['I1', explained],
  ['I2', reallyDelivered],
  ['I6', withinBudget],
  ['I6', countsOn],
  ['I8', waitsLongEnough],
  ['I11', ownFaultsAreFree],
  ['I12', ({ after }) => secretIn(JSON.stringify(after))],
];

/** ±20 % is jitter: waits that are all exactly the schedule's are not. */
const jittered: Check<Book> = ({ waits }) => {
  for (const [ms, { all, exact }] of waits)
    if (all >= 5 && exact === all) return `${all} waits of exactly ${ms} ms`;
  return undefined;
};

export const ofWaits: Checks<Book> = [['J', jittered]];
