import { burstMs, burstOf } from '../../../lambdas/endpoint/health/pace.ts';
import type { Crowd } from '../crowd.ts';
import type { Lateness } from '../weather.ts';
import type { World } from '../world.ts';
import type { Check, Checks } from './check.ts';

/** I17: what an endpoint gets that is held to a pace while very many events wait for it. */
export interface PaceFacts {
  readonly world: World;
  readonly crowd: Crowd;
  /** When its requests began, in this order. */
  readonly startsMs: readonly number[];
  /** How many rows waited for it, since when. */
  readonly waits: readonly { readonly sinceMs: number; readonly count: number }[];
}

export function paceFactsOf(world: World, crowd: Crowd): PaceFacts {
  const { book } = world;
  const own = [...book.dossiers.values()].filter(({ endpointId }) => endpointId === crowd.endpointId);
  const startsMs = own.flatMap(({ requests }) => requests.map(({ atMs }) => atMs)).sort((a, b) => a - b);
  return { world, crowd, startsMs, waits: book.waitsOf(crowd.endpointId) };
}

const windowMs = 600_000;

/** From leave to request there are a few calls. */
const callsMs = 1_000;

function countBetween({ startsMs }: Pick<PaceFacts, 'startsMs'>, fromMs: number, untilMs: number): number {
  return startsMs.filter((atMs) => atMs > fromMs && atMs <= untilMs).length;
}

const neverAbove: Check<PaceFacts> = (facts) => {
  const { kind, perSecond } = facts.crowd;
  if (kind !== 'paced') return undefined;
  const looseInMinuteMs = burstOf(1_000 / perSecond) + callsMs;
  for (const [spanMs, looseMs] of [[60_000, looseInMinuteMs] as const, [windowMs, 0] as const])
    for (const untilMs of facts.startsMs) {
      const count = countBetween(facts, untilMs - spanMs, untilMs);
      if (count > (perSecond * (spanMs + looseMs)) / 1000 + 1)
        return `${count} requests in ${spanMs / 1000} s, where ${perSecond} a second are allowed`;
    }
  return undefined;
};

/** Until a drain has begun, and while so few are left that all of them are on their way. */
const beginMs = 30_000;

/** Of its pace, over any ten minutes while work waits. */
const share = 0.9;

const seldomBelow: Check<PaceFacts> = (facts) => {
  const { crowd, waits, world } = facts;
  const { kind, perSecond } = crowd;
  if (kind !== 'paced') return undefined;
  const lateMs = latenessOf(world);
  const few = Math.ceil((perSecond * (beginMs + lateMs)) / 1000) + 3;
  const least = Math.floor((perSecond * share * windowMs) / 1000) - 1;
  const first = waits.find(({ count }) => count > few);
  const last = waits.findLast(({ count }) => count > few);
  if (first === undefined || last === undefined) return undefined;
  for (let fromMs = first.sinceMs + beginMs + lateMs; fromMs + windowMs <= last.sinceMs; fromMs += 30_000) {
    const count = countBetween(facts, fromMs, fromMs + windowMs);
    if (count < least)
      return `${count} requests in ten minutes, where work waits and ${perSecond} a second are allowed`;
  }
  return undefined;
};

/** Each lane's lateness once. */
function latenessOf({ weather: { lateness } }: World): number {
  const { retries, recovery } = lateness;
  return latest(retries) + latest(recovery);
}

function latest({ constantMs, spreadMs }: Lateness = { constantMs: 0, spreadMs: 0 }): number {
  return constantMs + spreadMs;
}

/** How many the promised ramp lets go in so long: ten a second, doubling every half minute. */
export function rampedIn(ms: number): number {
  let count = 0;
  for (let [leftMs, perSecond] = [ms, 10]; leftMs > 0; [leftMs, perSecond] = [leftMs - 30_000, perSecond * 2])
    count += (Math.min(leftMs, 30_000) / 1000) * perSecond;
  return count;
}

const rampIsKept: Check<PaceFacts> = (facts) => {
  const { crowd, startsMs, waits, world } = facts;
  if (crowd.kind !== 'back') return undefined;
  const backMs = world.book.health(crowd.endpointId).firstMs(({ backSince }) => backSince !== undefined);
  if (backMs === undefined) return undefined;
  const waited = waits.findLast(({ sinceMs }) => sinceMs <= backMs)?.count ?? 0;
  for (let afterMs = 1_000; afterMs <= 120_000; afterMs += 1_000) {
    const count = countBetween({ startsMs }, backMs, backMs + afterMs);
    const most = rampedIn(afterMs + burstMs + callsMs) + 3;
    if (count > most)
      return `${count} requests ${afterMs / 1000} s after it came back, where ${most} are allowed`;
    const least = Math.min(waited - 3, rampedIn(afterMs - beginMs - latenessOf(world)) / 2);
    if (count < least)
      return `${count} requests ${afterMs / 1000} s after it came back, and ${waited} waited`;
  }
  return undefined;
};

/** A recovery sends fifty a second, may be a second ahead, and SQS delays by whole seconds. */
const recoveryPerSecond = 50;

const recoveryIsPaced: Check<PaceFacts> = ({ world, crowd }) => {
  if (crowd.kind !== 'recovered') return undefined;
  const dueMs = world.book.recoveredMs.toSorted((a, b) => a - b);
  for (const untilMs of dueMs) {
    const count = countBetween({ startsMs: dueMs }, untilMs - 2_000, untilMs);
    if (count > recoveryPerSecond * 4) return `a recovery has ${count} deliveries come within two seconds`;
  }
  return undefined;
};

export const ofPace: Checks<PaceFacts> = [
  ['I17', neverAbove],
  ['I17', seldomBelow],
  ['I17', rampIsKept],
  ['I17', recoveryIsPaced],
];
