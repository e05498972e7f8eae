import { wake } from '../../lambdas/recovery/wake/wake.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { duePartitions } from '../../lambdas/shared/waiting.ts';
import { makeRoundsStore } from '../../lambdas/recovery/wake/store.ts';
import type { Life } from './life.ts';
import { lookMs, reachedIn } from './marks.ts';
import { act } from './pick.ts';
import { wakePorts } from './ports.ts';
import type { World } from './world.ts';

const minuteMs = 60_000;

/** As lib/ has it. */
const timeoutMs = 60_000;

/**
 * Has `wake` run every minute. A minute in which it would find nothing is not played, only written down: it would have
 * moved on its marks, and whoever puts a row before them is not found for an hour.
 */
export function wakeEveryMinute(world: World): void {
  const { time, woken } = world;
  const minute = (): void => {
    time.after(minuteMs, minute);
    if (woken.isBusy) return;
    if (hasWork(world)) act(world, () => runWake(world));
    else woken.idleMs = time.now();
  };
  time.after(minuteMs, minute);
}

function hasWork(world: World): boolean {
  const { time, rows, tables } = world;
  if (rows.size === 0) return false;
  const [ahead, behind] = [isoTime(time.now() + lookMs.ahead), isoTime(time.now() + lookMs.behind)];
  const reached = reachedIn(world);
  return duePartitions.some((partition) => {
    const { first, second } = reached(partition);
    return (
      tables.hasAny('waiting', partition, { after: first, through: ahead }) ||
      tables.hasAny('waiting', partition, { after: second, through: behind })
    );
  });
}

async function runWake(world: World): Promise<void> {
  const { time, woken, underWay, journal } = world;
  await catchUp(world);
  const run = {};
  let isDone = false;
  const end = () => {
    if (!isDone) for (const about of life.sent) world.book.disturb(about);
    life.isOver = true;
    woken.isBusy = false;
    underWay.delete(run);
  };
  const name = `wake ${(world.born.count += 1)}`;
  const life: Life = { ...{ name, isOver: false, skewMs: 0, works: [], sent: [] }, end };
  woken.isBusy = true;
  underWay.add(run);
  journal.tell(name, () => 'begins');
  const deadlineMs = time.now() + timeoutMs;
  const cancel = time.later(timeoutMs, () => {
    if (!life.isOver) end();
  });
  try {
    await wake({ ...wakePorts(world, life), remainingMs: () => deadlineMs - time.now() });
  } catch (fault) {
    journal.tell(name, () => `fails: ${String(fault)}`);
  } finally {
    cancel();
    isDone = true;
    end();
  }
}

/** What the runs that were not played would have written. */
async function catchUp(world: World): Promise<void> {
  const { woken, tables } = world;
  if (woken.idleMs === 0) return;
  const reached = reachedIn(world);
  const all = duePartitions.map((partition) => ({ partition, ...reached(partition) }));
  woken.idleMs = 0;
  const { rounds: before } = woken;
  const { replace } = makeRoundsStore(tables.client, tables.ledger);
  await replace(before, {
    ...before,
    version: before.version + 1,
    through: Object.fromEntries(all.map(({ partition, first }) => [partition, first])),
    secondThrough: Object.fromEntries(all.map(({ partition, second }) => [partition, second])),
  });
}
