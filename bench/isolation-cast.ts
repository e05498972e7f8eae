import { setTimeout as pause } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { builtInEventTypes } from '../lambdas/event/catalogue.ts';
import { startScene } from './scene.ts';
import type { Arrival } from './scene.ts';

export interface IsolationScene {
  readonly title: string;
  /** Healthy endpoints; each takes every event, or each its own type. */
  readonly healthy: number;
  readonly isEachEvent: boolean;
  /** After so long the noisy one answers; nothing if never. */
  readonly answersAfterMs?: number;
  /** One of so many deliveries to healthy endpoints is refused at first, and its next attempt is what is looked at. */
  readonly refusedEvery?: number;
}

export const onsetScene: IsolationScene = {
  ...{ title: 'one of three begins to hang', healthy: 2, isEachEvent: true },
};
export const retriesScene: IsolationScene = {
  ...{ title: 'half of all hangs, second attempts of the others', healthy: 10, isEachEvent: false },
  refusedEvery: 5,
};
export const slowScene: IsolationScene = {
  ...{ title: 'one of three answers after 10 s', healthy: 2, isEachEvent: true, answersAfterMs: 10_000 },
};

/** An event on its way; times by `performance.now()`. */
export interface Sent {
  readonly atMs: number;
  /** Requests of it to each healthy endpoint, by path. */
  readonly arrivedMs: Map<string, number[]>;
}

interface CastWish {
  readonly perSecond: number;
  readonly timeoutSeconds: number;
}

const eventBody = z.object({ data: z.object({ number: z.number() }) });
const types = builtInEventTypes.map(({ name }) => name).filter((name) => name !== 'webhook.test');

/** The whole stack, the endpoints of a scene, and their receivers. */
export async function makeCast(scene: IsolationScene, { perSecond, timeoutSeconds }: CastWish) {
  const sent: Sent[] = [];
  const noisy: Noisy = { isNoisy: false, arrivals: 0, id: '' };
  const stack = await startScene({
    onArrival: (arrival, response) => {
      if (arrival.path === '/noisy') answerNoisy(scene, noisy, response);
      else response.writeHead(statusOf(scene, arrival, sent)).end();
    },
  });
  const makeNoisy = async (): Promise<void> => {
    noisy.id = await stack.makeEndpoint('/noisy', { eventTypes: ['*'], policy: { timeoutSeconds } });
  };
  const policy = { retry: { initialBackoffSeconds: 1 } };
  for (let number = 0; number < scene.healthy; number += 1) {
    const eventTypes = scene.isEachEvent ? ['*'] : [types[number] ?? ''];
    await stack.makeEndpoint(`/healthy-${number}`, { eventTypes, policy });
  }
  await makeNoisy();
  return {
    publishFor: (seconds: number) => publishFor({ scene, stack, sent, perSecond }, seconds),
    setNoisy: (isNoisy: boolean) => {
      noisy.isNoisy = isNoisy;
    },
    /** A new one in its place, of which nothing is known. */
    renewNoisy: async () => {
      await stack.removeEndpoint(noisy.id);
      await makeNoisy();
    },
    noisyArrivals: () => noisy.arrivals,
    stop: stack.stop,
  };
}

interface Noisy {
  isNoisy: boolean;
  arrivals: number;
  id: string;
}

interface Publishing {
  readonly scene: IsolationScene;
  readonly stack: Awaited<ReturnType<typeof startScene>>;
  readonly sent: Sent[];
  readonly perSecond: number;
}

/** At a steady rate, whatever becomes of the events; answers when the healthy endpoints have taken all of them. */
async function publishFor(
  { scene, stack, sent, perSecond }: Publishing,
  seconds: number,
): Promise<readonly Sent[]> {
  const [first, startedMs] = [sent.length, performance.now()];
  const calls: Promise<void>[] = [];
  for (let count = 0; count < seconds * perSecond; count += 1) {
    await pause(Math.max(0, startedMs + (count * 1_000) / perSecond - performance.now()));
    const number = sent.push({ atMs: performance.now(), arrivedMs: new Map() }) - 1;
    calls.push(stack.publish({ type: types[number % 10] ?? '', detail: { data: { number } } }));
  }
  await Promise.all(calls);
  const isTaken = (one: Sent, index: number) => isComplete(scene, one, first + index);
  while (!sent.slice(first).every(isTaken)) await pause(50);
  return sent.slice(first);
}

function answerNoisy({ answersAfterMs }: IsolationScene, noisy: Noisy, response: ServerResponse): void {
  const answer = () => response.writeHead(204).end();
  if (!noisy.isNoisy) {
    answer();
    return;
  }
  noisy.arrivals += 1;
  if (answersAfterMs !== undefined) setTimeout(answer, answersAfterMs);
}

function statusOf(scene: IsolationScene, { path, atMs, body }: Arrival, sent: readonly Sent[]): number {
  const { number } = eventBody.parse(body).data;
  const one = sent[number];
  if (one === undefined) throw new Error('an event arrived that was never sent');
  const arrivals = one.arrivedMs.get(path) ?? [];
  one.arrivedMs.set(path, [...arrivals, atMs]);
  return arrivals.length === 0 && isRefused(scene, number) ? 500 : 204;
}

function isRefused({ refusedEvery = Infinity }: IsolationScene, number: number): boolean {
  return number % refusedEvery === 0;
}

function isComplete(scene: IsolationScene, { arrivedMs }: Sent, number: number): boolean {
  const all = [...arrivedMs.values()];
  const requests = isRefused(scene, number) ? 2 : 1;
  return (
    all.length === (scene.isEachEvent ? scene.healthy : 1) && all.every(({ length }) => length >= requests)
  );
}
