import { firstMessage, outgoing } from '../../../lambdas/delivery/message.ts';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { packBody } from '../../../lambdas/event/body.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { eventIdOf } from '../../fakes/ids.ts';
import { taken } from '../lanes/receiver.ts';
import type { Receiver } from '../lanes/receiver.ts';
import { billBetween } from '../lanes/meter.ts';
import type { Bill } from '../lanes/meter.ts';
import { makeStack } from '../lanes/stack.ts';
import type { Stack } from '../lanes/stack.ts';

const hourMs = 3_600_000;

/** Deliveries are published evenly over the first hours, and the endpoint is dead for five days. */
const fillMs = 4 * hourMs;
const deadMs = 120 * hourMs;
/** When the other endpoint gets two deliveries a second: at the beginning, and from an hour before the end on. */
const liveMs = { first: hourMs / 6, before: hourMs };
/** Longer than a million at 50 a second takes. */
const patienceMs = 8 * hourMs;

export interface StoryWish {
  /** Deliveries for the endpoint. */
  readonly count: number;
  /** Whether it is dead for five days; else it takes everything at once. */
  readonly isDead: boolean;
  /** Its `rateLimitPerSecond`. */
  readonly limit: number | null;
  /** For how long after the five days the other one goes on; by default until all has been delivered. */
  readonly liveUntilMs?: number;
}

export interface Story {
  readonly waiting: Bill;
  readonly recovery: Bill;
  readonly lost: number;
  /** Requests that reached the endpoint and delivered nothing new, once it was back. */
  readonly twice: number;
  readonly attemptsWhileDead: number;
  /** When each was delivered that had waited. */
  readonly arrivedMs: readonly number[];
  /** How long the other endpoint's deliveries waited. */
  readonly othersMs: readonly number[];
  readonly endMs: number;
  readonly mostBatches: ReadonlyMap<string, number>;
}

/** Plays it in virtual time. */
export async function playBacklog(wish: StoryWish): Promise<Story> {
  const cast = castOf(wish);
  const stack = await makeStack({ endpoints: [cast.noisy, cast.live], receive: cast.receive });
  const { time, meter } = stack;
  const stop = stack.wakeEveryMinute();
  const backMs = testStartMs + deadMs;
  publishAll(stack, wish, cast);
  await time.run(() => time.now() >= backMs);
  const [before, attemptsWhileDead] = [meter.bill(), cast.seen.requests];
  const isOver = () => time.now() > backMs + patienceMs || isDone(stack, wish, cast);
  await time.run(isOver);
  stop();
  const { seen } = cast;
  return {
    waiting: before,
    recovery: billBetween(before, meter.bill()),
    lost: wish.count + seen.published.size - seen.live.size - seen.delivered.size,
    twice: seen.twice,
    attemptsWhileDead,
    arrivedMs: seen.arrivedMs,
    othersMs: seen.othersMs,
    endMs: time.now(),
    mostBatches: stack.deliver.most,
  };
}

function isDone({ time, lanes }: Stack, { count, liveUntilMs = 0 }: StoryWish, { seen }: Cast): boolean {
  const isAll = seen.delivered.size >= count && seen.live.size === seen.published.size;
  // Who waited is asked for once more before the backlog is closed.
  return isAll && time.now() > liveUntilMs && lanes.retries.isEmpty && lanes.recovery.isEmpty;
}

type Cast = ReturnType<typeof castOf>;

/** The endpoints, their receivers, and what these have seen. */
function castOf({ isDead, limit }: StoryWish) {
  // Five days of nothing but failure would be the end of it by default.
  const policy = { disableAfterHours: 240, rateLimitPerSecond: limit };
  const noisy = anEndpoint({ name: 'noisy', policy });
  const live = anEndpoint({ name: 'live' });
  const seen = {
    ...{ requests: 0, twice: 0, delivered: new Set<string>(), live: new Set<string>() },
    ...{ arrivedMs: [] as number[], othersMs: [] as number[], published: new Map<string, number>() },
  };
  const receive: Receiver = ({ host, eventId, atMs }) => {
    if (host === hostOf(live)) {
      seen.live.add(eventId);
      seen.othersMs.push(atMs - (seen.published.get(eventId) ?? NaN));
      return { tookMs: 100, answer: taken };
    }
    seen.requests += 1;
    if (isDead && atMs < testStartMs + deadMs) {
      return { tookMs: 5, answer: { kind: 'failure', code: 'connection_refused' } };
    }
    if (seen.delivered.has(eventId)) seen.twice += 1;
    seen.delivered.add(eventId);
    seen.arrivedMs.push(atMs);
    return { tookMs: 300, answer: taken };
  };
  return { noisy, live, seen, receive };
}

function hostOf({ url }: Endpoint): string {
  return new URL(url).hostname;
}

/** Ten at a time, as routing sends what comes together; the other endpoint's one by one. */
function publishAll(stack: Stack, wish: StoryWish, cast: Cast): void {
  const { time } = stack;
  const startMs = time.now();
  let number = 0;
  const next = (): void => {
    const batch = Array.from({ length: Math.min(10, wish.count - number) }, () => `noisy ${(number += 1)}`);
    void publish(stack, cast.noisy, batch);
    if (number < wish.count) time.at(startMs + (number / wish.count) * fillMs, next);
  };
  if (wish.count > 0) next();
  const backMs = startMs + deadMs;
  const { seen, live } = cast;
  const isOn = (atMs: number) => atMs < startMs + liveMs.first || atMs >= backMs - liveMs.before;
  const nextLive = (): void => {
    const atMs = time.now();
    if (isOn(atMs)) {
      const name = `live ${seen.published.size}`;
      seen.published.set(eventIdOf(name, atMs), atMs);
      void publish(stack, live, [name]);
    }
    time.at(isOn(atMs + 500) ? atMs + 500 : backMs - liveMs.before, nextLive);
  };
  nextLive();
}

/** Events of 2 KB. They are there; what routing costs is the same for all. */
async function publish(stack: Stack, endpoint: Endpoint, names: readonly string[]): Promise<void> {
  const timeMs = stack.time.now();
  const events = names.map((name) => ({
    ...template,
    id: eventIdOf(name, timeMs),
    endpoints: [endpoint.id],
  }));
  for (const event of events) await stack.addEvent(event);
  const messages = events.map(({ organizationId, id: eventId, type: eventType }) =>
    outgoing(
      firstMessage({ organizationId, endpointId: endpoint.id, eventId, eventType, configuration: 0 }),
      0,
    ),
  );
  stack.lanes.deliveries.send('route', messages);
}

const template = templateEvent();

function templateEvent() {
  const body = packBody(Buffer.from(JSON.stringify({ data: { text: 'x'.repeat(2_000) } })));
  if (body === undefined) throw new Error('this body is too large');
  return { ...anEvent(), body };
}
