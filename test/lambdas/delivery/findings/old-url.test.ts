import { describe, expect, test } from 'vitest';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { aScene, settle } from '../a-scene.ts';
import type { Scene } from '../a-scene.ts';
import { allDelivered, attemptsOf, endpointId, many, work } from '../crowd.ts';
import type { Fate } from '../mortal.ts';

const moved = anEndpoint({ url: 'https://new.example.com/hook', updatedAt: '2026-11-23T10:00:00.001Z' });

/** While the first request is under way somebody changes the endpoint. */
async function changedMeanwhile(change: (scene: Scene) => void, fate?: Fate): Promise<Scene> {
  const scene = await aScene();
  scene.settings.fateOf = ({ port }) => {
    if (port === 'post' && scene.receiver.requests.length === 0) change(scene);
    return port === 'readRecipientLatest' ? fate : undefined;
  };
  scene.receiver.answers(410, ...Array<number>(20).fill(200));
  await scene.start();
  await scene.step();
  return scene;
}

// Seen: the endpoint was switched off, and what waited for the new URL ended as `gone`.
describe('a 410 of the URL that an endpoint had', () => {
  test('leaves the endpoint on, and the delivery goes to the new one', async () => {
    const scene = await changedMeanwhile(({ configuration }) => {
      configuration.set(moved);
    });
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', attemptCount: 2 });
    expect(scene.receiver.requests.map(({ url }) => url)).toEqual([anEndpoint().url, moved.url]);
    expect((await scene.health.readLatest(endpointId)).off).toBeUndefined();
    expect(scene.announced).toEqual([]);
  });

  test('ends no other delivery', async () => {
    const scene = await changedMeanwhile(({ configuration }) => {
      configuration.set(moved);
    });
    await many(scene, 5);
    await work(scene);
    expect(await attemptsOf(scene, 5)).toEqual(allDelivered(5));
  });

  test('is not final when it cannot be asked which URL the endpoint has by now', async () => {
    const scene = await changedMeanwhile(({ configuration }) => {
      configuration.set(moved);
    }, 'fault before');
    expect(await scene.delivery()).toMatchObject({ status: 'retrying', lastError: 'http_410' });
    expect((await scene.health.readLatest(endpointId)).off).toBeUndefined();
  });
});

describe('a 410 of the URL that an endpoint has', () => {
  test.each([
    ['nothing', {}],
    ['something else', { keepResponse: true, updatedAt: '2026-11-23T10:00:00.001Z' }],
  ])('switches it off though %s was changed meanwhile', async (_, changed) => {
    const scene = await changedMeanwhile(({ configuration }) => {
      configuration.set({ ...anEndpoint(), ...changed });
    });
    await settle(scene);
    expect(await scene.delivery()).toMatchObject({ status: 'dead', attemptCount: 1 });
    expect((await scene.health.readLatest(endpointId)).off).toMatchObject({ reason: 'gone' });
  });
});
