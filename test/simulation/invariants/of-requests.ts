import type { Dossier, Request } from '../book.ts';
import { mayReceive, policiesOf } from '../settings.ts';
import type { Beliefs } from '../settings.ts';
import { signatureFault } from '../verify.ts';
import { isSwift } from '../weather.ts';
import type { World } from '../world.ts';
import type { Check, Checks } from './check.ts';

export interface RequestFacts {
  readonly world: World;
  readonly request: Request;
  readonly dossier: Dossier;
  readonly beliefs: Beliefs;
  /** What of this may be believed by an attempt that begins now. */
  readonly present: Beliefs;
}

const sameBytes: Check<RequestFacts> = ({ world, request }) => {
  const id = request.headers['webhook-id'] ?? '';
  const published = world.book.published.get(id);
  if (published === undefined) return `nobody has published ${id}`;
  return published.body.equals(request.body) ? undefined : `the body of ${id} is not what was published`;
};

/** The timestamp is in whole seconds, so it may be one second older than that. */
const freshTimestamp: Check<RequestFacts> = ({ world, request }) => {
  const saidMs = Number(request.headers['webhook-timestamp']) * 1000;
  const offMs = request.atMs - saidMs;
  const { skewMs } = world.weather;
  if (offMs < 3_000 + skewMs && offMs >= -skewMs) return undefined;
  return `the timestamp is ${offMs} ms older than the request`;
};

const verifiable: Check<RequestFacts> = ({ world: { book, kms }, request, present }) => {
  const endpoints = present.endpoints.filter((one) => one !== undefined);
  return signatureFault({ book, request, endpoints, publicKeyOf: kms.publicKeyOf });
};

const onlyWhileServed: Check<RequestFacts> = ({ present }) =>
  mayReceive(present) ? undefined : 'the endpoint is off, and everybody knows';

/**
 * Once a pause has been seen everywhere, whoever posts has taken the lease of the breaker, and each lease is good for
 * one request.
 */
const onlyProbes: Check<RequestFacts> = ({ world, request, beliefs: { health } }) => {
  const { book } = world;
  const { endpointId, instance, atMs } = request;
  const isPaused = health.every(({ pause }) => pause !== undefined) || knowsPause(world, request);
  const lease = book.leases.find(
    (one) =>
      !one.isUsed && one.endpointId === endpointId && one.instance === instance && one.atMs > atMs - 45_000,
  );
  if (!isPaused) return undefined;
  if (lease === undefined) return 'the breaker is open, and this is no probe';
  lease.isUsed = true;
  return undefined;
};

/** Who was let in before may wait for others of its batch, each of which is quick. */
const admittedMs = 2_500;

/** Whoever has noted a pause knows of it at once, as far as no call is slow. */
function knowsPause({ book, weather }: World, { endpointId, instance, atMs }: Request): boolean {
  const { latest, sinceMs } = book.health(endpointId);
  const isOwn = book.healthWriters.get(endpointId) === instance;
  return isOwn && latest.pause !== undefined && isSwift(weather) && atMs - sinceMs > admittedMs;
}

const minuteMs = 60_000;

/**
 * Leave is given a rate's distance apart; an attempt may go a second before it and two after it, and takes as long as
 * its calls take from there.
 */
const paced: Check<RequestFacts> = ({ world: { book, weather }, request, beliefs }) => {
  const limits = policiesOf(beliefs).map(({ rateLimitPerSecond }) => rateLimitPerSecond ?? Infinity);
  const limit = Math.max(...limits);
  if (!Number.isFinite(limit)) return undefined;
  const looseMs = weather.slow > 0 ? 40_000 : 6_000;
  let requests = 0;
  let disturbances = 0;
  for (const dossier of book.dossiers.values()) {
    if (dossier.endpointId !== request.endpointId) continue;
    disturbances += book.disturbances(dossier);
    for (const { atMs } of dossier.requests) if (atMs > request.atMs - minuteMs) requests += 1;
  }
  const most = Math.ceil((limit * (minuteMs + looseMs)) / 1000) + 1 + disturbances;
  return requests > most
    ? `${requests} requests in a minute, where ${limit} a second are allowed`
    : undefined;
};

const ownAddress: Check<RequestFacts> = ({ request, present }) => {
  const urls = present.endpoints.map((one) => one?.url);
  return urls.includes(request.url) ? undefined : 'the request went to an address that the endpoint has not';
};

const ownOrganization: Check<RequestFacts> = ({ world: { book }, request, beliefs }) => {
  const owner = book.published.get(request.headers['webhook-id'] ?? '')?.organizationId;
  const isOwn = beliefs.endpoints.some((one) => one?.organizationId === owner);
  return isOwn ? undefined : "the event is another organization's";
};

export const ofRequest: Checks<RequestFacts> = [
  ['I3', sameBytes],
  ['I4', freshTimestamp],
  ['I5', verifiable],
  ['I7', onlyWhileServed],
  ['I9', paced],
  ['I10', onlyProbes],
  ['I13', ownAddress],
  ['I14', ownOrganization],
];
