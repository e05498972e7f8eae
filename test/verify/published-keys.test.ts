import { describe, expect, it, test } from 'vitest';
import { parseKeySet } from '../../verify/key-set.ts';
import { makePublishedKeys } from '../../verify/published-keys.ts';
import { outcomeOf } from './a-webhook.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** A publisher whose keys, answer and availability a test changes. */
function aPublisher({ maxAgeSeconds }: { maxAgeSeconds: number | undefined } = { maxAgeSeconds: 300 }) {
  const publisher = { kids: ['one'], isDown: false, fetches: 0, wait: Promise.resolve() };
  const keys = makePublishedKeys(async () => {
    publisher.fetches += 1;
    await publisher.wait;
    if (publisher.isDown) throw new Error('the publisher is down');
    const set = parseKeySet({ keys: publisher.kids.map((kid) => ({ kid })) });
    if (set === undefined) throw new Error('this is a key set');
    return { keys: set, maxAgeSeconds };
  });
  const kidsAt = async (nowMs: number, kid = 'one') => [...(await keys.read(kid, nowMs)).keys()];
  return { publisher, keys, kidsAt };
}

describe('published keys', () => {
  it('are fetched once for as long as they are fresh', async () => {
    const { publisher, kidsAt } = aPublisher();
    for (const second of [0, 1, 60, 299]) expect(await kidsAt(second * secondMs)).toEqual(['one']);
    expect(publisher.fetches).toBe(1);
    await kidsAt(300 * secondMs);
    expect(publisher.fetches).toBe(2);
  });

  it.each([
    ['0 s is kept for a minute', 0, minuteMs],
    ['a year is kept for an hour', 31_536_000, hourMs],
    ['ten minutes is kept for them', 600, 10 * minuteMs],
    ['nothing is kept for five minutes', undefined, 5 * minuteMs],
  ])('with a max-age of %s', async (_what, maxAgeSeconds, freshMs) => {
    const { publisher, kidsAt } = aPublisher({ maxAgeSeconds });
    await kidsAt(0);
    await kidsAt(freshMs - 1);
    expect(publisher.fetches).toBe(1);
    await kidsAt(freshMs);
    expect(publisher.fetches).toBe(2);
  });

  it('are fetched by one request, however many webhooks wait for them', async () => {
    const { publisher, kidsAt } = aPublisher();
    const gate = Promise.withResolvers<undefined>();
    publisher.wait = gate.promise.then(() => undefined);
    const reads = Array.from({ length: 50 }, () => kidsAt(0));
    gate.resolve(undefined);
    expect(await Promise.all(reads)).toEqual(Array.from({ length: 50 }, () => ['one']));
    expect(publisher.fetches).toBe(1);
  });

  it('are fetched again for an unknown key, at most once a minute', async () => {
    const { publisher, kidsAt } = aPublisher({ maxAgeSeconds: 3600 });
    await kidsAt(0);
    publisher.kids = ['one', 'two'];
    for (let second = 1; second < 60; second += 1) {
      expect(await kidsAt(second * secondMs, 'two')).toEqual(['one']);
    }
    expect(publisher.fetches).toBe(1);
    expect(await kidsAt(minuteMs, 'two')).toEqual(['one', 'two']);
    for (let second = 61; second < 120; second += 1) await kidsAt(second * secondMs, 'forged');
    expect(publisher.fetches).toBe(2);
  });

  it('go on working for an hour of outage, and are asked for once a minute in it', async () => {
    const { publisher, kidsAt } = aPublisher();
    await kidsAt(0);
    publisher.isDown = true;
    const freshMs = 5 * minuteMs;
    for (let nowMs = freshMs; nowMs < freshMs + hourMs; nowMs += 10 * secondMs) {
      expect(await kidsAt(nowMs)).toEqual(['one']);
    }
    expect(publisher.fetches).toBe(1 + 60);
    expect(await outcomeOf(kidsAt(freshMs + hourMs))).toBe('keys_unavailable');
    publisher.isDown = false;
    expect(await kidsAt(freshMs + hourMs + minuteMs)).toEqual(['one']);
  });

  it('that went from the set are refused once it was fetched again', async () => {
    const { publisher, kidsAt } = aPublisher();
    await kidsAt(0);
    publisher.kids = ['two'];
    expect(await kidsAt(5 * minuteMs)).toEqual(['two']);
  });
});

test('a publisher that never answered is asked again after five seconds, and not before', async () => {
  const { publisher, kidsAt } = aPublisher();
  publisher.isDown = true;
  expect(await outcomeOf(kidsAt(0))).toBe('keys_unavailable');
  expect(await outcomeOf(kidsAt(4999))).toBe('keys_unavailable');
  expect(publisher.fetches).toBe(1);
  publisher.isDown = false;
  expect(await kidsAt(5000)).toEqual(['one']);
});

test('an outage is told with its cause, for the receiver’s own log', async () => {
  const { publisher, keys } = aPublisher();
  publisher.isDown = true;
  await expect(keys.read('one', 0)).rejects.toMatchObject({
    code: 'keys_unavailable',
    status: 503,
    cause: new Error('the publisher is down'),
  });
});
