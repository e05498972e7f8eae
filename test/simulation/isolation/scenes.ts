import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { seededChance } from '../../fakes/chance.ts';
import { taken } from '../lanes/receiver.ts';
import type { Arrival, Receiver } from '../lanes/receiver.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { playScene } from './scene.ts';
import type { Played, SceneWish } from './scene.ts';

/** What the others waited, in milliseconds, and what the noisy one got. */
export interface Waits {
  readonly first: readonly number[];
  /** From a failure to the next attempt. */
  readonly second: readonly number[];
  /** What first attempts at the noisy one waited. */
  readonly own: readonly number[];
  /** Requests that reached the noisy one. */
  readonly arrivals: number;
  /** Of it once it was known to be slow: requests a second, and requests at once. */
  readonly share: { readonly perSecond: number; readonly atOnce: number };
  readonly played: Played;
}

export interface Wish {
  readonly perSecond: number;
  /** Whether the noisy endpoint is noisy. */
  readonly isNoisy: boolean;
  readonly coldMs?: number;
}

/** Everything is quiet before it begins. */
const quietMs = 20_000;
const noisyFromMs = testStartMs + quietMs;
const seconds = (quietMs + 60_000) / 1_000;

const noisy = anEndpoint({ name: 'noisy' });

/** Three endpoints take every event; one of them begins to hang. */
export function playOnset(wish: Wish): Promise<Waits> {
  const others = [anEndpoint({ name: 'one' }), anEndpoint({ name: 'two' })];
  return play({ ...wish, others, endpointsOf: () => [...others, noisy], noisyMs: Infinity });
}

/** One endpoint takes half of all traffic and hangs; each fifth delivery of the others fails at first. */
export function playRetries(wish: Wish): Promise<Waits> {
  const policy = { retry: { initialBackoffSeconds: 1 } };
  const others = Array.from({ length: 10 }, (_, number) =>
    anEndpoint({ name: `other ${number}`.replace(' ', '-'), policy }),
  );
  const endpointsOf = (number: number) => [others[number % 10] ?? noisy, noisy];
  return play({ ...wish, others, endpointsOf, noisyMs: Infinity, failsEvery: 5 });
}

/** Three endpoints take every event; one of them needs ten seconds for an answer. */
export function playSlow(wish: Wish): Promise<Waits> {
  const others = [anEndpoint({ name: 'one' }), anEndpoint({ name: 'two' })];
  return play({ ...wish, others, endpointsOf: () => [...others, noisy], noisyMs: 10_000 });
}

/** After so long of being slow it hangs. */
const slowForMs = 20_000;

/** Three endpoints take every event; one of them is slow, and known to be, and then hangs. */
export function playSlowThenHanging(wish: Wish): Promise<Waits> {
  const others = [anEndpoint({ name: 'one' }), anEndpoint({ name: 'two' })];
  return play({
    ...wish,
    others,
    endpointsOf: () => [...others, noisy],
    noisyMs: 600,
    hangsFromMs: noisyFromMs + slowForMs,
  });
}

/** Three endpoints take every event; one of them is well, but for a few answers of a hundred that take longer. */
export function playSeldomSlow(tookMs: number) {
  return (wish: Wish): Promise<Waits> => {
    const others = [anEndpoint({ name: 'one' }), anEndpoint({ name: 'two' })];
    const endpointsOf = () => [...others, noisy];
    return play({ ...wish, others, endpointsOf, noisyMs: tookMs, noisyEvery: 100 });
  };
}

interface Play extends Wish, Pick<SceneWish, 'endpointsOf'> {
  readonly others: readonly Endpoint[];
  /** How long the noisy one takes. */
  readonly noisyMs: number;
  /** From then on it never answers. */
  readonly hangsFromMs?: number;
  /** For one answer of how many it takes so long; for all by default. */
  readonly noisyEvery?: number;
  /** Of the others' deliveries, which ones fail at first. */
  readonly failsEvery?: number;
}

async function play(wish: Play): Promise<Waits> {
  const { others, endpointsOf, perSecond, coldMs = 0 } = wish;
  const arrivals: Received[] = [];
  const receive = receiverOf(wish, arrivals);
  const endpoints = [...others, noisy];
  const played = await playScene({ endpoints, receive, perSecond, seconds, endpointsOf, coldMs });
  const isOfOthers = ({ host }: Arrival) => host !== hostOf(noisy);
  const { first, second } = waitsOf(arrivals.filter(isOfOthers), played);
  const { first: own } = waitsOf(
    arrivals.filter((one) => !isOfOthers(one)),
    played,
  );
  const ofNoisy = arrivals.filter((one) => !isOfOthers(one) && one.atMs >= noisyFromMs);
  return { first, second, own, arrivals: ofNoisy.length, share: shareOf(ofNoisy, wish), played };
}

/** What the deliveries waited that were published since it is noisy. */
function waitsOf(arrivals: readonly Arrival[], { publishedMs }: Played): Pick<Waits, 'first' | 'second'> {
  const [first, second]: [number[], number[]] = [[], []];
  const byDelivery = Map.groupBy(arrivals, ({ host, eventId }) => `${host} ${eventId}`);
  for (const [one, two] of byDelivery.values()) {
    if (one === undefined) continue;
    const atMs = publishedMs.get(one.eventId) ?? NaN;
    if (atMs < noisyFromMs) continue;
    first.push(one.atMs - atMs);
    if (two !== undefined) second.push(two.atMs - one.atMs);
  }
  return { first, second };
}

/** By then what came before anybody knew has been answered, or has timed out. */
const knownMs = 30_000;

function shareOf(
  arrivals: readonly Received[],
  { hangsFromMs = noisyFromMs + knownMs }: Play,
): Waits['share'] {
  const since = arrivals.filter(({ atMs }) => atMs >= hangsFromMs);
  const [firstMs = 0, lastMs = 0] = [since[0]?.atMs, since.at(-1)?.atMs];
  const atOnce = since.map(
    ({ atMs }) => since.filter((one) => one.atMs <= atMs && one.atMs + one.heldMs > atMs).length,
  );
  return { perSecond: (since.length * 1_000) / (lastMs - firstMs), atOnce: Math.max(0, ...atOnce) };
}

/** A request, and how long it was held. */
interface Received extends Arrival {
  readonly heldMs: number;
}

/** Quick ones take 20 to 80 ms. */
function receiverOf(wish: Play, arrivals: Received[]): Receiver {
  const { isNoisy, noisyMs, hangsFromMs = Infinity, noisyEvery = 1, failsEvery = Infinity } = wish;
  const chance = seededChance(3);
  const seen = new Set<string>();
  let count = 0;
  return (arrival) => {
    const quickMs = 20 + chance() * 60;
    const isOwn = arrival.host === hostOf(noisy);
    const isNow = isOwn && isNoisy && arrival.atMs >= noisyFromMs && chance() * noisyEvery < 1;
    const slowMs = arrival.atMs < hangsFromMs ? noisyMs : Infinity;
    const tookMs = isNow ? slowMs : quickMs;
    arrivals.push({ ...arrival, heldMs: Math.min(tookMs, arrival.timeoutMs) });
    if (isOwn) return { tookMs, answer: taken };
    const name = `${arrival.host} ${arrival.eventId}`;
    const fails = !seen.has(name) && (count += 1) % failsEvery === 0;
    seen.add(name);
    return { tookMs, answer: fails ? { kind: 'response', status: 500 } : taken };
  };
}

function hostOf({ url }: Endpoint): string {
  return new URL(url).hostname;
}
