import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, test } from 'vitest';
import { raise } from '../../../../lambdas/delivery/park.ts';
import { outgoingDrain } from '../../../../lambdas/endpoint/health/drain-message.ts';
import { healthKey } from '../../../../lambdas/endpoint/health/store.ts';
import { aDrain, backlogOf, idsOf, isOver, parkedRow, postedIds } from './a-drain.ts';
import type { Scene } from './a-drain.ts';

const minuteMs = 60_000;

describe('the end of a backlog', () => {
  test('comes a minute after the index seemed empty, and leaves nothing in it', async () => {
    const scene = aDrain();
    await scene.park('a');
    await scene.run();
    const emptied = scene.journal.lines.filter(({ message }) => message === 'backlog.stepped');
    expect(emptied.length).toBeLessThanOrEqual(5);
    expect(scene.clock.now() - (scene.posted[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(minuteMs);
    const get = new GetCommand({ TableName: scene.tables.ledger, Key: healthKey(scene.owner.id) });
    expect((await scene.tables.client.send(get)).Item).not.toHaveProperty('waiting');
  });

  test.each([1_000, 30_000, 59_000])(
    'does not come when something is parked %i ms after the index seemed empty',
    async (ms) => {
      const scene = aDrain();
      await scene.park('a');
      await untilEmpty(scene);
      await scene.run(scene.clock.now() + ms);
      await scene.park('b');
      await scene.run();
      expect(postedIds(scene)).toEqual(idsOf(['a', 'b']));
      expect(await isOver(scene)).toBe(true);
    },
  );

  // Of a function that still remembers the backlog as open: it writes the row, and nothing else.
  test('does not come over rows of somebody who has read that there is a backlog', async () => {
    const scene = aDrain({ indexLagMs: 5_000 });
    await scene.park('a');
    const known = await scene.latest();
    await untilEmpty(scene);
    await scene.ledger.rewrite(parkedRow(scene.clock.now(), 'b'));
    await raise(scene.parkPorts, scene.owner, known);
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(['a', 'b']));
    expect(await isOver(scene)).toBe(true);
  });

  test('is ended by nobody whose turn is over', async () => {
    const scene = aDrain();
    await scene.park('a');
    await untilEmpty(scene);
    const { turn } = await backlogOf(scene);
    await scene.park('b');
    // The step that would end it for good, a minute after the index seemed empty.
    scene.clock.pass(minuteMs);
    for (const record of scene.drains.receive(10)) scene.drains.delete(record);
    await scene.drains.send(outgoingDrain(scene.owner, turn, 0));
    for (const record of scene.drains.receive(1)) await scene.invoke(record);
    expect(await isOver(scene)).toBe(false);
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(['a', 'b']));
  });

  // Its turn was the last one when it began, and is not when it ends.
  test('is not made by a step in the middle of which something is parked', async () => {
    const scene = aDrain({ indexLagMs: 1_000 });
    await scene.park('a');
    await untilEmpty(scene);
    scene.meanwhile.act = async () => {
      scene.meanwhile.act = () => Promise.resolve();
      await scene.park('b');
    };
    await scene.run();
    expect(postedIds(scene)).toEqual(idsOf(['a', 'b']));
    expect(await isOver(scene)).toBe(true);
  });

  async function untilEmpty(scene: Scene): Promise<void> {
    while ((await backlogOf(scene)).emptyAt === undefined)
      if (!(await scene.step())) throw new Error('it is never empty');
  }
});
