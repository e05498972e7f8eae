import { describe, expect, test } from 'vitest';
import { wantedNow } from '../../../../lambdas/endpoint/health/backlog.ts';
import type { Backlog } from '../../../../lambdas/endpoint/health/backlog.ts';
import { drain } from '../../../../lambdas/recovery/drain/drain.ts';
import { aDrain, backlogOf, idsOf, isOver, postedIds } from './a-drain.ts';
import type { Scene } from './a-drain.ts';

const names = ['a', 'b', 'c'];

/** Has a step take so long, between its claim and what it sends, and somebody do something in the middle of it. */
async function slowStep(scene: Scene, ms: number, act: () => Promise<void>): Promise<void> {
  scene.meanwhile.act = async () => {
    scene.meanwhile.act = () => Promise.resolve();
    scene.clock.pass(ms);
    await act();
  };
  await scene.step();
}

/** Somebody lets the rows go, and his message comes at once. */
async function wantNow(scene: Scene): Promise<void> {
  await change(scene, (backlog) => wantedNow(backlog, scene.clock.now()));
  for (const record of scene.drains.receive(10)) await scene.invoke(record);
}

async function change(scene: Scene, of: (before: Backlog) => Backlog | undefined): Promise<void> {
  await scene.setHealth({ backlog: of(await backlogOf(scene)) });
}

const sentBy = (scene: Scene) => scene.calls.filter(({ port }) => port === 'send').length;

describe('a step of a drain', () => {
  test('that is slow is not overtaken by who wants the rows meanwhile: each is sent once', async () => {
    const scene = aDrain();
    scene.settings.lane = 'keeps';
    await scene.park(...names);
    await slowStep(scene, 9_000, () => wantNow(scene));
    await scene.run(scene.clock.now() + 30_000);
    expect(sentBy(scene)).toBe(names.length);
    scene.settings.lane = 'delivers';
    await scene.run();
    expect(postedIds(scene).toSorted()).toEqual(idsOf(names).toSorted());
    expect(await isOver(scene)).toBe(true);
  });

  test('is followed by the next one when the rows were wanted meanwhile, though his message has come to nothing', async () => {
    const scene = aDrain({ perSecond: 1 });
    await scene.park(...names);
    await slowStep(scene, 9_000, () => wantNow(scene));
    const { dueAt } = await backlogOf(scene);
    expect(Date.parse(dueAt)).toBeLessThanOrEqual(scene.clock.now());
    expect(scene.drains.nextAtMs()).toBeLessThanOrEqual(scene.clock.now());
  });

  test('does not begin for whoever comes every minute while another one is made', async () => {
    const scene = aDrain();
    scene.settings.lane = 'keeps';
    await scene.park(...names);
    await slowStep(scene, 9_000, async () => {
      const { turn } = await backlogOf(scene);
      await change(scene, (backlog) => wantedNow(backlog, scene.clock.now()));
      const { ports, owner } = scene;
      await drain(ports, owner, undefined);
      expect((await backlogOf(scene)).turn).toBe(turn);
    });
    expect(sentBy(scene)).toBe(names.length);
  });

  test('sees what was parked while it found that nothing is left, and clears nothing', async () => {
    const scene = aDrain({ indexLagMs: 12_000 });
    await scene.park('a');
    while ((await backlogOf(scene)).emptyAt === undefined) await scene.step();
    scene.clock.pass(60_000);
    await slowStep(scene, 9_000, async () => {
      await scene.park('b');
      expect(await backlogOf(scene)).not.toHaveProperty('emptyAt');
    });
    expect(await backlogOf(scene)).not.toHaveProperty('emptyAt');
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(['a', 'b']));
    expect(await isOver(scene)).toBe(true);
  });

  test('that has taken too long sends nothing, and whoever comes every minute begins anew', async () => {
    const scene = aDrain();
    await scene.park(...names);
    await expect(slowStep(scene, 46_000, () => Promise.resolve())).rejects.toThrow('takes too long');
    expect(sentBy(scene)).toBe(0);
    await scene.run();
    expect(postedIds(scene).toSorted()).toEqual(idsOf(names).toSorted());
    expect(await isOver(scene)).toBe(true);
  });
});
