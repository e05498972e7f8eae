import { testStartMs } from '../fakes/clock.ts';
import { actions, heal, redrive } from './actions.ts';
import type { Action } from './action.ts';
import { aChance } from './chance.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { simulatedFunctions } from './functions.ts';
import type { SimulatedFunction } from './functions.ts';
import { act, pick } from './pick.ts';
import type { Plant } from './plant.ts';
import { publish, publishAgain } from './publish.ts';
import { drawCrowd } from './crowd.ts';
import { check } from './invariants/check.ts';
import { ofPace, paceFactsOf } from './invariants/of-paces.ts';
import { lookAtRest } from './invariants/at-rest.ts';
import { Scheduler, takeTurns, withVirtualTimers } from './scheduler.ts';
import { setUp } from './setup.ts';
import { recoverAll } from './upkeep.ts';
import { wakeEveryMinute } from './waker.ts';
import { watchRedriven } from './watched-messages.ts';
import { watchWrite } from './watched-writes.ts';
import { drawWeather } from './weather.ts';
import { makeWorld } from './world.ts';
import type { Violation, World } from './world.ts';

export interface Outcome {
  readonly violation?: Violation;
  readonly turns: number;
  /** Virtual. */
  readonly days: number;
  /** The same for every run of a seed. */
  readonly hash: number;
  readonly story: readonly string[];
}

export interface Options {
  readonly withStory?: boolean;
  readonly plant?: Plant;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Lives through one seed. */
export function run(seed: number, options: Options = {}): Promise<Outcome> {
  const time = new Scheduler();
  return withVirtualTimers(time, () => live(time, seed, options));
}

async function live(time: Scheduler, seed: number, { withStory = false, plant }: Options): Promise<Outcome> {
  const chance = aChance(seed);
  const isLong = chance.isLucky(0.02);
  const spanMs = chance.pick(isLong ? [30, 240] : [2, 10, 20, 40]) * minuteMs;
  const weather = drawWeather(chance, { startMs: testStartMs, calmAtMs: testStartMs + spanMs });
  const retentionDays = chance.isLucky(0.05) ? chance.pick([0.005, 0.02]) : 30;
  const world = await makeWorld({
    chance,
    time,
    weather,
    retentionDays,
    isLong,
    withStory,
    plant,
    watch: watchWrite,
  });
  watchRedriven(world);
  await setUp(world);
  wakeEveryMinute(world);
  const isCrowded = weather.isPunctual && retentionDays === 30 && !isLong && chance.isLucky(0.06);
  const crowd = isCrowded ? await drawCrowd(world) : undefined;
  const plan =
    crowd === undefined ? planOf(world, spanMs) : { planned: [], finale: [], dated: new Set<Action>() };
  const play = { world, functions: simulatedFunctions(world), ...plan, turns: 0 };
  await takeTurns(time, () => turn(play));
  if (world.violation() === undefined) await look(world);
  if (crowd !== undefined) check(world, ofPace, paceFactsOf(world, crowd));
  const violation = world.violation();
  const { lines, hash } = world.journal;
  return {
    ...(violation === undefined ? {} : { violation }),
    ...{ turns: play.turns, days: (time.now() - testStartMs) / dayMs, hash: hash(), story: lines },
  };
}

/** Looks at what is left, while nothing else goes on. */
async function look(world: World): Promise<void> {
  let isOver = false;
  world.hand.isLooking = true;
  const looked = lookAtRest(world).finally(() => {
    isOver = true;
  });
  await takeTurns(world.time, () => !isOver);
  await looked;
}

interface Play {
  readonly world: World;
  readonly functions: readonly SimulatedFunction[];
  /** What happens in the middle of whatever goes on at that turn; the first is the last. */
  readonly planned: { readonly turn: number; readonly action: Action }[];
  /** What happens when nothing moves any more; the first is the last. */
  readonly finale: Action[];
  /** What is still to happen at some time of the clock. */
  readonly dated: Set<Action>;
  turns: number;
}

/** Draws who publishes and who does what, at some time or at some turn. */
function planOf(world: World, spanMs: number): Pick<Play, 'planned' | 'finale' | 'dated'> {
  const { chance, time } = world;
  const dated = new Set<Action>();
  const planned: Play['planned'] = [];
  const plan = (action: Action, isDated: boolean, shareOfSpan = 1) => {
    if (!isDated) {
      planned.push({ turn: chance.below(chance.pick([50, 200, 400])), action });
      return;
    }
    const once: Action = (there) => action(there);
    dated.add(once);
    time.later(chance.below(spanMs * shareOfSpan), () => {
      dated.delete(once);
      act(world, once);
    });
  };
  plan(publish, true, 0.01);
  const events = chance.weigh([
    [5, 0],
    [4, 1],
    [2, 2],
    [1, 4],
  ]);
  for (let left = events; left > 0; left -= 1) plan(publish, chance.isLucky(0.5), 0.5);
  if (chance.isLucky(0.2)) plan(publishAgain, chance.isLucky(0.5));
  const count = chance.pick([0, 0, 1, 1, 2, 4]);
  for (let left = count; left > 0; left -= 1) plan(chance.weigh(actions), chance.isLucky(0.4));
  const finale = chance.weigh<Action[]>([
    [5, []],
    [2, [redrive, heal]],
    [1, [recoverAll, heal]],
  ]);
  return { planned: planned.sort((one, other) => other.turn - one.turn), finale, dated };
}

/** One thing happens; false when there is nothing left to happen. */
function turn(play: Play): boolean {
  const { world, functions, planned } = play;
  if (world.violation() !== undefined || isEndless(play)) return false;
  play.turns += 1;
  if ((planned.at(-1)?.turn ?? Infinity) <= play.turns) return next(world, planned.pop()?.action);
  if (pick(world, functions)) return true;
  if (isAtRest(play) && play.dated.size === 0) return next(world, planned.pop()?.action ?? play.finale.pop());
  if (!world.time.advance()) return false;
  pick(world, functions);
  return true;
}

function next(world: World, action: Action | undefined): boolean {
  if (action === undefined) return false;
  act(world, action);
  return true;
}

function isAtRest({ world, functions }: Play): boolean {
  const { queues, underWay, sqs, rows, time } = world;
  if (underWay.size > 0 || functions.some(({ running }) => running > 0)) return false;
  // What a tidy-up held when it died.
  if (queues.deliveriesDead.counts().inFlight > 0) return false;
  const isMoving = sqs.moveTasks.list(queues.deliveriesDead.arn).some(({ status }) => status === 'RUNNING');
  const { events, eventsFalling, deliveries, retries, falling, recovery } = queues;
  if (isMoving || ![events, eventsFalling, deliveries, retries, falling, recovery].every(isEmpty))
    return false;
  // What is past its time nobody comes for any more.
  return [...rows.values()].every((untilMs) => untilMs <= time.now());
}

function isEmpty(queue: Queue): boolean {
  const { visible, inFlight, delayed } = queue.counts();
  return visible + inFlight + delayed === 0;
}

/** Many times what the longest of a hundred thousand runs took. */
const bounds = { turns: 60_000, days: 3 };
const longBounds = { turns: 200_000, days: 40 };

/** I15: when nothing goes wrong any more, everything comes to rest. */
function isEndless({ world, turns }: Play): boolean {
  const days = (world.time.now() - testStartMs) / dayMs;
  const most = world.isLong ? longBounds : bounds;
  if (turns < most.turns && days < most.days) return false;
  world.violate('I15', `after ${turns} turns and ${days.toFixed(2)} days there is no rest`);
  return true;
}
