import { parseArgs } from 'node:util';
import { keptPace } from './backlog/pace.ts';
import { playBacklog } from './backlog/story.ts';
import type { Story } from './backlog/story.ts';
import { tableOf } from './backlog/table.ts';
import { billBetween, dollarsOf, sumOf, timesOf } from './lanes/meter.ts';
import type { Bill } from './lanes/meter.ts';

/**
 * `npm run simulate:backlog -- --deliveries N`: N deliveries wait five days for a dead endpoint while another one goes
 * on, in virtual time, through the real engine and its stores, with every request of AWS counted and priced. Beside it
 * the same deliveries without the five days. What the other endpoint and an idle stack cost is measured, too, and taken
 * off. Exits 1 when the wait costs more than it may, when anything is lost, when the pace is not kept, from
 * above or from below, or when the other endpoint waits longer than without.
 */
const { values } = parseArgs({ options: { deliveries: { type: 'string', default: '200000' } } });
const count = Number(values.deliveries);
if (!Number.isInteger(count) || count < 5_000) {
  console.error('--deliveries takes a whole number from 5000.');
  process.exit(2);
}

/**
 * Dollars for a million deliveries, because they have waited: the rows, and bringing them back. What it costs to deliver
 * them is paid without any wait, too, and is told beside it.
 */
const dollarsMax = 3;
const waitRatioMax = 1.2;
/** What these cost beside their share of all is what a dead endpoint costs, however little waits for it. */
const fewCount = 1_000;

function percentile(waits: readonly number[], share: number): number {
  const sorted = Float64Array.from(waits).sort();
  return sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
}

function say(name: string, text: string | number): void {
  console.log(`  ${name.padEnd(46)} ${text}`);
}

/** Five days of waiting and the recovery, beside the same deliveries at once. */
async function money(): Promise<boolean> {
  const story = await playBacklog({ count, isDead: true, limit: null });
  const liveUntilMs = story.endMs;
  const idle = await playBacklog({ count: 0, isDead: true, limit: null, liveUntilMs });
  const few = await playBacklog({ count: fewCount, isDead: true, limit: null, liveUntilMs });
  const straight = await playBacklog({ count, isDead: false, limit: null, liveUntilMs });
  const both = (of: Pick<Story, 'waiting' | 'recovery'>) => sumOf(of.waiting, of.recovery);
  const million = (bill: Bill, ofCount: number) => timesOf(bill, 1_000_000 / ofCount);
  const waiting = million(billBetween(few.waiting, story.waiting), count - fewCount);
  const recovery = million(billBetween(few.recovery, story.recovery), count - fewCount);
  const atOnce = million(billBetween(both(idle), both(straight)), count);
  console.log(`\nof a million, from ${count} (what an idle stack and other endpoints cost is taken off)\n`);
  console.log(tableOf({ waiting, recovery, 'at once': atOnce }));
  const perDelivery = (dollarsOf(waiting) + dollarsOf(recovery)) / 1_000_000;
  // As much for a thousand as for a million: probes, and who looks for what is due.
  const dead = dollarsOf(billBetween(both(idle), both(few))) - fewCount * perDelivery;
  const dollars = dead + dollarsOf(waiting) + dollarsOf(recovery);
  const extra = dollars - dollarsOf(atOnce);
  const [others, othersIdle] = [percentile(story.othersMs, 0.99), percentile(idle.othersMs, 0.99)];
  const kept = keptPace(story.arrivedMs, { limit: null, windowSeconds: 30 });
  console.log('');
  say(
    'a million delivered, waiting and recovery included',
    `$${dollars.toFixed(2)}, of it because of the wait $${extra.toFixed(2)}`,
  );
  say('of it for an endpoint that is dead for five days', `$${dead.toFixed(3)}, however little waits for it`);
  say('lost', story.lost + straight.lost + idle.lost + few.lost);
  say('requests while dead; for nothing afterwards', `${story.attemptsWhileDead}; ${story.twice}`);
  say(
    'recovered within, from the first request',
    `${Math.round(((story.arrivedMs.at(-1) ?? 0) - (story.arrivedMs[0] ?? 0)) / 1_000)} s`,
  );
  say('requests a second in each half minute', kept.perSecond.slice(0, 14).join(' '));
  say('of its pace, most and least', `${kept.most.toFixed(2)}, ${kept.least.toFixed(2)}`);
  say(
    'others wait, p99',
    `${others.toFixed(0)} ms, ${othersIdle.toFixed(0)} without (${(others / othersIdle).toFixed(2)})`,
  );
  say('batches at once', [...story.mostBatches].map(([lane, most]) => `${lane} ${most}`).join(', '));
  const isPaced = kept.most <= 1 && kept.least >= 0.5;
  const isWhole = story.lost + straight.lost + idle.lost + few.lost === 0;
  return isWhole && isPaced && extra <= dollarsMax && others <= waitRatioMax * othersIdle;
}

/** An endpoint that is held to a limit gets it, and no more. */
async function limited(): Promise<boolean> {
  const limit = 50;
  // Twenty minutes of it at most.
  const story = await playBacklog({ count: Math.min(count, 20 * 60 * limit), isDead: true, limit });
  const windowSeconds = Math.min(600, Math.floor(count / limit / 3));
  const kept = keptPace(story.arrivedMs, { limit, windowSeconds });
  console.log(`\nrateLimitPerSecond ${limit}`);
  say('lost', story.lost);
  say(
    'of its limit, most and least',
    `${kept.most.toFixed(2)}, ${kept.least.toFixed(2)} of any ${windowSeconds} s`,
  );
  return story.lost === 0 && kept.most <= 1 && kept.least >= 0.9;
}

const isGood = [await money(), await limited()].every(Boolean);
say('memory, MB', Math.round(process.resourceUsage().maxRSS / 1_024));
say('seconds', Math.round(process.uptime()));
console.log(isGood ? '\nas promised' : '\nNOT as promised');
process.exitCode = isGood ? 0 : 1;
