import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aRecovery, deliverAll, fates, messagesOf } from './a-recovery.ts';
import type { Fate, FateOf, Scene } from './a-recovery.ts';
import { countsOfEverything, everything, lacking, tell } from './stories.ts';

/** One fate at one call, all others untouched. */
function only(index: number, fate: Fate): FateOf {
  return (call) => (call.index === index ? fate : undefined);
}

async function play(fateOf: FateOf, copies = 1): Promise<{ scene: Scene; ids: string[] }> {
  // Every third page is left to another invocation.
  let pages = 0;
  const remainingMs = () => ((pages += 1) % 3 === 0 ? 0 : 60_000);
  const scene = aRecovery({ fateOf, remainingMs });
  const ids = await tell(scene, everything);
  await scene.begin();
  for (let copy = 1; copy < copies; copy += 1) await scene.wake();
  await scene.settle();
  return { scene, ids };
}

/** Whatever has happened: all of it delivered once, counted once, and said. */
async function expectAllRecovered({ scene, ids }: Awaited<ReturnType<typeof play>>): Promise<void> {
  const wanted = ids.filter((_, index) => lacking.has(everything[index] ?? 'young'));
  expect((await deliverAll(scene)).toSorted()).toEqual(wanted);
  expect(await scene.job()).toMatchObject({ status: 'finished', counts: countsOfEverything, outbox: [] });
  expect(scene.announced.length).toBeGreaterThanOrEqual(1);
}

describe('whatever happens to it', () => {
  test.each(fates)('one %s at any call loses nothing and counts nothing twice', async (fate) => {
    const untouched = await play(() => undefined);
    const calls = untouched.scene.calls.length;
    expect(calls).toBeGreaterThan(25);
    for (let index = 0; index < calls; index += 1) {
      const port = untouched.scene.calls[index]?.port ?? 'none';
      await play(only(index, fate))
        .then(expectAllRecovered)
        .catch((cause: unknown) => {
          throw new Error(`lost by one ${fate} at call ${index} (${port})`, { cause });
        });
    }
  });

  test('several at once, with several copies of the message, lose nothing either', async () => {
    const doom = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.constantFrom(...fates));
    await fc.assert(
      fc.asyncProperty(
        fc.array(doom, { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 1, max: 3 }),
        async (dooms, copies) => {
          const fateOf: FateOf = (call) =>
            dooms.map(([index, fate]) => only(index, fate)(call)).find((fate) => fate !== undefined);
          await expectAllRecovered(await play(fateOf, copies));
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });

  test('two copies that work at the same time become one', async () => {
    const scene = aRecovery({ isTicking: true });
    const ids = await tell(scene, everything);
    await scene.begin();
    await scene.wake();
    while (scene.queue.size() > 0) await Promise.all([scene.step(), scene.step()]);
    await expectAllRecovered({ scene, ids });
    expect(scene.journal.lines.some(({ message }) => message === 'recovery.overtaken')).toBe(true);
    // As many as one copy would have sent, and one page by both.
    expect(messagesOf(scene).length).toBeLessThanOrEqual(countsOfEverything.sent + 3);
  });
});
