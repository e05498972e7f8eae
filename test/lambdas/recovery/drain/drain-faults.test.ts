import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { testStartMs } from '../../../fakes/clock.ts';
import { eventIdOf } from '../../../fakes/ids.ts';
import { aDrain } from './a-drain.ts';
import type { Scene } from './a-drain.ts';
import { fates } from './mortal.ts';
import type { Fate, FateOf } from './mortal.ts';

const minuteMs = 60_000;
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'late'];
const paused = {
  since: isoTime(testStartMs),
  until: isoTime(testStartMs + 10 * minuteMs),
  seconds: 600,
  cause: 'failures' as const,
};

/** A pause with a notice that nobody has said, a probe, a pass over the rest, one more row at the end, the end. */
async function play(fateOf: FateOf): Promise<Scene> {
  const scene = aDrain({ fateOf, perSecond: 50 });
  await scene.setHealth({ pause: paused });
  await scene.park(...names.slice(0, -1));
  const known = await scene.latest();
  const unsaid = [{ kind: 'paused' as const, at: isoTime(testStartMs) }];
  await scene.health.replace(scene.owner.id, known, { ...known, unsaid, sayAfter: paused.until });
  await scene.run(testStartMs + 11 * minuteMs);
  await scene.park(...names.slice(-1));
  await scene.run();
  return scene;
}

/** Whatever has happened: each was attempted once, the notice was said, and nobody need come any more. */
async function expectAllCame(scene: Scene): Promise<void> {
  const posted = scene.posted.map(({ eventId }) => eventId);
  expect(posted.toSorted()).toEqual(names.map((name) => eventIdOf(name)).toSorted());
  expect(scene.announced.map(({ detailType }) => detailType)).toContain('endpoint.paused');
  const { backlog, unsaid } = await scene.latest();
  expect([backlog, unsaid]).toEqual([undefined, []]);
  expect(scene.drains.dead).toEqual([]);
}

/** One fate at one call, all others untouched. */
function only(index: number, fate: Fate): FateOf {
  return (call) => (call.index === index ? fate : undefined);
}

describe('whatever happens to a drain', () => {
  test.each(fates)('one %s at any call leaves nothing behind', async (fate) => {
    const untouched = await play(() => undefined);
    const calls = untouched.calls.length;
    expect(new Set(untouched.calls.map(({ port }) => port))).toEqual(
      new Set([
        'readLatest',
        'replace',
        'readRecipientLatest',
        'list',
        'count',
        'send',
        'announce',
        'startDrain',
      ]),
    );
    for (let index = 0; index < calls; index += 1) {
      const port = untouched.calls[index]?.port ?? 'none';
      await play(only(index, fate))
        .then(expectAllCame)
        .catch((cause: unknown) => {
          throw new Error(`lost by one ${fate} at call ${index} (${port})`, { cause });
        });
    }
  });

  test('several at once leave nothing behind either', async () => {
    const doom = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom(...fates));
    await fc.assert(
      fc.asyncProperty(fc.array(doom, { minLength: 2, maxLength: 6 }), async (dooms) => {
        const fateOf: FateOf = (call) =>
          dooms.map(([index, fate]) => only(index, fate)(call)).find((fate) => fate !== undefined);
        await expectAllCame(await play(fateOf));
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});
