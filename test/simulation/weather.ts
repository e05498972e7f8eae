import { endpointIdOf } from '../fakes/ids.ts';
import type { Chance } from './chance.ts';

/** What a call of a port reaches. */
export type Service = 'dynamodb' | 'sqs' | 'bus' | 'kms' | 'secrets' | 'receiver' | 'lambda';

/**
 * What befalls one call. `crash`: the function dies there. `fault`: the call fails and the function lives. Each of
 * them before the service has done its work or after it. `twice`: the answer is lost, and the SDK calls once more.
 */
export type Fate =
  | 'well'
  | 'crash before'
  | 'crash after'
  | 'fault before'
  | 'fault after'
  | 'twice'
  | 'slow before'
  | 'slow after'
  | 'black hole';

/** How late messages of a lane come: all by the same, and each by something more. */
export interface Lateness {
  readonly constantMs: number;
  readonly spreadMs: number;
}

interface Outage {
  readonly service: Service;
  readonly fromMs: number;
  readonly untilMs: number;
  /** Of its calls that fail. */
  readonly share: number;
  /** What is throttled, if not the whole service: places that begin so. */
  readonly place?: string;
  /** Its calls are not refused, but never answered. */
  readonly isHole?: boolean;
}

/** What may go wrong in a run, and how often. */
export interface Weather {
  readonly crash: number;
  readonly fault: number;
  readonly twice: number;
  readonly slow: number;
  /** Messages that Lambda takes and then brings to no function, because it is throttled. */
  readonly unserved: number;
  readonly duplicate: number;
  readonly reorder: number;
  /** Chance that a queue is left alone for a while, each time that somebody could look at it. */
  readonly stall: number;
  /** Of a batch of messages, those that SQS does not take. */
  readonly partial: number;
  /** How far the indexes are behind, and reads without strong consistency, in milliseconds. */
  readonly indexLagMs: number;
  readonly readLagMs: number;
  /** How far an instance's clock may be off, in milliseconds. */
  readonly skewMs: number;
  readonly outages: readonly Outage[];
  /** Of the lanes that are late, by their names. */
  readonly lateness: Readonly<Record<string, Lateness>>;
  /** Nothing goes wrong, but lanes may be late, and there are functions enough: what starts late is our own fault. */
  readonly isPunctual: boolean;
  /** From then on nothing goes wrong any more. */
  readonly calmAtMs: number;
}

/** From the beginning of a run to the moment from which on nothing goes wrong. */
export interface Span {
  readonly startMs: number;
  readonly calmAtMs: number;
}

const services = ['dynamodb', 'sqs', 'bus', 'kms', 'secrets', 'lambda'] as const;
const calm = {
  ...{ crash: 0, fault: 0, twice: 0, slow: 0, unserved: 0, duplicate: 0, reorder: 0, stall: 0 },
  ...{ partial: 0, indexLagMs: 0, readLagMs: 0 },
};

/** What may be throttled by itself: a partition of the table, an index, a partition of one. */
const hotPlaces = [
  `table ENDPOINT#${endpointIdOf('one')}`,
  ...['table WAKE', 'table ORG#', 'waiting ', 'waiting DUE#0', 'waiting ENDPOINT#', 'byStatus '],
] as const;

const lanes = ['events', 'deliveries', 'retries', 'falling', 'recovery'] as const;

function drawLateness(chance: Chance): Readonly<Record<string, Lateness>> {
  const late = lanes.filter(() => chance.isLucky(0.6));
  const ms = chance.pick([1_000, 4_000, 20_000, 60_000]);
  const isConstant = chance.isLucky(0.5);
  return Object.fromEntries(
    late.map((name) => [
      name,
      isConstant ? { constantMs: ms, spreadMs: 0 } : { constantMs: 0, spreadMs: ms },
    ]),
  );
}

/**
 * The weather of a run: some are calm, in most a few things go wrong, in some everything does. No share is so
 * large that copies of messages which wait would have more copies than they have ends.
 */
export function drawWeather(chance: Chance, { startMs, calmAtMs }: Span): Weather {
  const skewMs = chance.isLucky(0.3) ? chance.between(1, 1_000) : 0;
  const isLate = chance.isLucky(0.25);
  const lateness = isLate ? drawLateness(chance) : {};
  if (chance.isLucky(0.2)) return { ...calm, skewMs, outages: [], lateness, isPunctual: true, calmAtMs };
  const some = (likely: number, shares: readonly number[]) =>
    chance.isLucky(likely) ? chance.pick(shares) : 0;
  const outage = (): Outage => {
    const fromMs = startMs + chance.below(Math.max(1, calmAtMs - startMs));
    const lengthMs = chance.pick([20_000, 60_000, 300_000, 300_000, 1_500_000]);
    const service = chance.pick(services);
    const share = chance.pick([0.3, 0.9, 1]);
    const place = service === 'dynamodb' && chance.isLucky(0.5) ? { place: chance.pick(hotPlaces) } : {};
    const isHole = service !== 'lambda' && chance.isLucky(0.2);
    // What is done and never acknowledged would be done five times over, with all that follows from it.
    return {
      service,
      fromMs,
      untilMs: fromMs + lengthMs,
      share: service === 'lambda' ? 0.3 : share,
      isHole,
      ...place,
    };
  };
  return {
    crash: some(0.5, [0.005, 0.02, 0.06]),
    fault: some(0.5, [0.005, 0.02, 0.06]),
    twice: some(0.4, [0.01, 0.03]),
    slow: some(0.4, [0.01, 0.1]),
    unserved: some(0.15, [0.02, 0.2]),
    duplicate: some(0.4, [0.02, 0.08]),
    reorder: some(0.4, [0.1, 0.5]),
    stall: some(0.3, [0.02, 0.2]),
    partial: some(0.2, [0.02, 0.1]),
    indexLagMs: some(0.3, [50, 500, 1_500]),
    readLagMs: some(0.3, [50, 500, 1_500]),
    ...{ skewMs, lateness, isPunctual: false },
    outages: chance.isLucky(0.3) ? Array.from({ length: chance.between(1, 2) }, outage) : [],
    calmAtMs,
  };
}

/** Whether every call is answered soon, well or not. */
export function isSwift({ slow, outages }: Weather): boolean {
  return slow === 0 && !outages.some(({ isHole }) => isHole === true);
}

/** Whether no call fails, and no function dies. */
export function isFaultless(weather: Weather): boolean {
  const { crash, fault, twice, partial, unserved, outages } = weather;
  return crash + fault + twice + partial + unserved + outages.length === 0 && isSwift(weather);
}

interface Reached {
  readonly service: Service;
  readonly places: readonly string[];
  readonly nowMs: number;
}

function isOut({ service, fromMs, untilMs, place }: Outage, call: Reached): boolean {
  if (service !== call.service || call.nowMs < fromMs || call.nowMs >= untilMs) return false;
  return place === undefined || call.places.some((one) => one.startsWith(place));
}

export function fateOf(weather: Weather, chance: Chance, call: Reached): Fate {
  const { service, nowMs } = call;
  if (nowMs >= weather.calmAtMs) return 'well';
  const outage = weather.outages.find((one) => isOut(one, call));
  if (outage !== undefined && chance.isLucky(outage.share))
    return outage.isHole === true ? 'black hole' : 'fault before';
  const { crash, fault, twice, slow } = weather;
  let draw = chance.random();
  const falls = (share: number) => (draw -= share) < 0;
  const half = chance.random() < 0.5;
  // Whatever happens on the way to a receiver is its answer (answer.ts); how long it takes is the receiver's matter.
  if (service === 'receiver') return falls(crash) ? (half ? 'crash before' : 'crash after') : 'well';
  // Lambda itself acknowledges; no function of ours can die of that.
  if (service !== 'lambda' && falls(crash)) return half ? 'crash before' : 'crash after';
  if (falls(fault)) return half ? 'fault before' : 'fault after';
  if (falls(twice)) return 'twice';
  if (falls(slow)) return half ? 'slow before' : 'slow after';
  return 'well';
}
