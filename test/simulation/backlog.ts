import { parseArgs } from 'node:util';
import { keptPace } from './backlog/pace.ts';
import { playBacklog } from './backlog/story.ts';
import { tableOf } from './backlog/table.ts';
import { billBetween, dollarsOf, sumOf } from './lanes/meter.ts';

/**
 * `npm run simulate:backlog -- --deliveries N`: N deliveries wait five days for a dead endpoint while another one goes
 * on, in virtual time, through the real engine and its stores, with every request of AWS counted and priced. Beside it
 * the same deliveries without the five days. What the other endpoint and an idle stack cost is measured, too, and taken
 * off. Exits 1 when waiting and recovery cost more than they may, when anything is lost, when the pace is not kept, from
 * above or from below, or when the other endpoint waits longer than without.
 */
const { values } = parseArgs({ options: { deliveries: { type: 'string', default: '200000' } } });
const count = Number(values.deliveries);
if (!Number.isInteger(count) || count < 1_000) {
  console.error('--deliveries takes a whole number from 1000.');
  process.exit(2);
}

/** Dollars for a million deliveries: what waiting costs, and bringing back and delivering what has waited. */
const dollarsMax = 3;
const waitRatioMax = 1.2;

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
  const straight = await playBacklog({ count, isDead: false, limit: null, liveUntilMs });
  const waiting = billBetween(idle.waiting, story.waiting);
  const recovery = billBetween(idle.recovery, story.recovery);
  const atOnce = billBetween(sumOf(idle.waiting, idle.recovery), sumOf(straight.waiting, straight.recovery));
  console.log(`\nof a million, from ${count} (an idle stack and the other endpoint taken off)\n`);
  console.log(tableOf({ waiting, recovery, straight: atOnce }, count));
  const dollars = ((dollarsOf(waiting) + dollarsOf(recovery)) * 1_000_000) / count;
  const extra = dollars - (dollarsOf(atOnce) * 1_000_000) / count;
  const [others, othersIdle] = [percentile(story.othersMs, 0.99), percentile(idle.othersMs, 0.99)];
  const kept = keptPace(story.arrivedMs, { limit: null, windowSeconds: 30 });
  console.log('');
  say(
    'waiting and recovery, a million',
    `$${dollars.toFixed(2)}, of it because of the wait $${extra.toFixed(2)}`,
  );
  say('lost', story.lost + straight.lost + idle.lost);
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
  const isWhole = story.lost + straight.lost + idle.lost === 0;
  return isWhole && isPaced && dollars <= dollarsMax && others <= waitRatioMax * othersIdle;
}

/** An endpoint that is held to a limit gets it, and no more. */
async function limited(): Promise<boolean> {
  const limit = 50;
  // Two hours of it at most.
  const story = await playBacklog({ count: Math.min(count, 360_000), isDead: true, limit });
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
