import { expect } from 'vitest';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../lambdas/endpoint/health/health.ts';
import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import type { Row } from '../../../lambdas/recovery/waiting/row.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { endpointPartition } from '../../../lambdas/shared/waiting.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../../fakes/ids.ts';
import type { Scene } from './a-scene.ts';

/** The endpoint of a scene, unless it says otherwise. */
export const endpointId = endpointIdOf('one');

export function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `event-${index}`);
}

/** So many events for the endpoint, each with its first message. */
export async function many(scene: Pick<Scene, 'ledger' | 'sendMessage'>, count: number): Promise<void> {
  for (const name of names(count)) await one(scene, name);
}

/** An event for the endpoint, with its first message. */
export async function one(
  { ledger, sendMessage }: Pick<Scene, 'ledger' | 'sendMessage'>,
  name: string,
): Promise<void> {
  await ledger.events.add(anEvent({ name }));
  await sendMessage(aMessage({ eventId: eventIdOf(name) }));
}

/** Works on all that comes until then, up to ten messages at a time; what comes later is left. */
export async function work(
  { step, nextAtMs, clock }: Pick<Scene, 'step' | 'nextAtMs' | 'clock'>,
  untilMs = Infinity,
): Promise<void> {
  for (let steps = 0; steps < 50_000; steps += 1) {
    const atMs = await nextAtMs();
    if (atMs === undefined || atMs > untilMs) {
      if (Number.isFinite(untilMs)) clock.passTo(untilMs);
      return;
    }
    await step(10);
  }
  throw new Error('the messages go round and round');
}

export function deliveryOf({ ledger }: Pick<Scene, 'ledger'>, name: string): Promise<Delivery | undefined> {
  return ledger.deliveries.get(endpointId, eventIdOf(name));
}

/** What has become of so many deliveries, and by how many attempts. */
export async function attemptsOf(scene: Pick<Scene, 'ledger'>, count: number) {
  const found = await Promise.all(names(count).map((name) => deliveryOf(scene, name)));
  return found.map((delivery) => [delivery?.status, delivery?.attemptCount] as const);
}

/** So many deliveries that were made by their first attempt. */
export function allDelivered(count: number): (readonly [string, number])[] {
  return names(count).map(() => ['delivered', 1] as const);
}

/** The rows that wait for the endpoint. */
export async function rowsOf({ ledger }: Pick<Scene, 'ledger'>): Promise<readonly Row[]> {
  const partition = endpointPartition(endpointId);
  return (await ledger.waiting.list({ partition, after: undefined, through: '~' }, 10_000)).rows;
}

/** What was said of a kind. */
export function toldOf({ announced }: Pick<Scene, 'announced'>, type: string): unknown[] {
  return announced
    .filter(({ detailType }) => detailType === type)
    .map(({ detail }) => JSON.parse(detail) as unknown);
}

/** Milliseconds between each request and the next. */
export function gapsOf({ receiver: { requests } }: Pick<Scene, 'receiver'>): number[] {
  return requests.slice(1).map(({ atMs }, index) => atMs - (requests[index]?.atMs ?? 0));
}

/** The health of the endpoint as nobody but a test sets it. */
export async function set(scene: Pick<Scene, 'health'>, given: Partial<Health>): Promise<void> {
  const before = await scene.health.readLatest(endpointId);
  await scene.health.replace(endpointId, before, { ...well, organizationId: 'org_1', ...given });
}

export function pausedUntil(untilMs: number): Partial<Health> {
  const since = isoTime(testStartMs);
  const pause = { since, until: isoTime(untilMs), seconds: 60, cause: 'failures' as const };
  return { failures: 2, failingSince: since, lastFailureAt: since, pause };
}

/** Pauses the endpoint for so long from now on; gives when that ends. */
export async function pause({ clock, health }: Pick<Scene, 'clock' | 'health'>, ms: number): Promise<number> {
  const untilMs = clock.now() + ms;
  await set({ health }, pausedUntil(untilMs));
  return untilMs;
}

/** What lies in the queues, each message in the hands of a function of its own, all at the same time. */
export async function apart({ queue, falling, invoke }: Scene): Promise<void> {
  await Promise.all([...queue.receive(), ...falling.receive()].map((record) => invoke([record])));
}

/** No window of any length holds more than the pace allows, but for a burst of two seconds; none of ten minutes does. */
export function expectPace({ receiver: { requests } }: Pick<Scene, 'receiver'>, perSecond: number): void {
  const times = requests.map(({ atMs }) => atMs).toSorted((a, b) => a - b);
  for (const windowMs of [1, 2, 5, 10, 60, 600].map((seconds) => seconds * 1_000)) {
    const most = Math.max(
      ...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length),
    );
    const burst = windowMs < 600_000 ? perSecond * 2 + 1 : 0;
    expect(most).toBeLessThanOrEqual(perSecond * (windowMs / 1_000) + burst);
  }
}
