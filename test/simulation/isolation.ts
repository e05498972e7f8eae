import { parseArgs } from 'node:util';
import { playOnset, playRetries, playSeldomSlow, playSlow, playSlowThenHanging } from './isolation/scenes.ts';
import type { Waits, Wish } from './isolation/scenes.ts';

/**
 * `npm run simulate:isolation`: one endpoint takes long; how long do the others wait, compared with the same run in
 * which it answers? In virtual time, with as many functions as an account has, so that nothing but the engine is
 * measured. And how is one that seldom takes long: it must get what it would get anyway. Exits 1 when the 99th percentile
 * over the whole minute, its first second included, is more than 1.2 times what it is without.
 */
const { values } = parseArgs({
  options: {
    /** Until a new instance of a function can work, in milliseconds. */
    cold: { type: 'string', default: '0' },
  },
});
const coldMs = Number(values.cold);
if (!Number.isInteger(coldMs) || coldMs < 0) {
  console.error('--cold takes a whole number of milliseconds.');
  process.exit(2);
}

const ratioMax = 1.2;

interface Scene {
  readonly title: string;
  readonly play: (wish: Wish) => Promise<Waits>;
  /** What is held against each other: the first attempts of the others, their second ones, or its own first ones. */
  readonly which: 'first' | 'second' | 'own';
  readonly perSecond: number;
}

const rates = [5, 10, 20, 50];
const scenes: readonly Scene[] = [
  ...rates.map((perSecond) => onset(perSecond)),
  ...rates.map((perSecond) => retries(perSecond)),
  { title: 'one answers in 10 s', play: playSlow, which: 'first', perSecond: 100 },
  { title: 'slow, then hangs', play: playSlowThenHanging, which: 'first', perSecond: 50 },
  ...[600, 2_000].map((tookMs) => seldom(tookMs)),
];

function onset(perSecond: number): Scene {
  return { title: 'one of three hangs', play: playOnset, which: 'first', perSecond };
}

function retries(perSecond: number): Scene {
  return { title: 'half hangs, retries', play: playRetries, which: 'second', perSecond };
}

/** Of its own deliveries as many must come at once as those of a quick one, and wait no longer. */
function seldom(tookMs: number): Scene {
  const play = playSeldomSlow(tookMs);
  return { title: `1 % of one in ${tookMs} ms`, play, which: 'own', perSecond: 100 };
}

function percentile(waits: readonly number[], share: number): number {
  const sorted = waits.toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
}

let isWell = true;
for (const { title, play, which, perSecond } of scenes) {
  const without = await play({ perSecond, isNoisy: false, coldMs });
  const during = await play({ perSecond, isNoisy: true, coldMs });
  const [baseline, p99] = [percentile(without[which], 0.99), percentile(during[which], 0.99)];
  const missing = without[which].length - during[which].length;
  const { share, played } = during;
  const batches = [...played.mostBatches].map(([lane, most]) => `${lane} ${most}`).join(', ');
  console.log(
    `${title.padEnd(20)} ${String(perSecond).padStart(3)} events/s: p99 of ${during[which].length} ` +
      `${baseline.toFixed(0)} ms without, ${p99.toFixed(0)} with it (${(p99 / baseline).toFixed(2)}), ` +
      `most ${percentile(during[which], 1).toFixed(0)}; it got ${during.arrivals}, since known ` +
      `${share.perSecond.toFixed(2)}/s, ${share.atOnce} at once; batches at once: ${batches}; ` +
      `${played.instances} instances${missing === 0 ? '' : `; MISSING ${missing}`}`,
  );
  isWell &&= missing === 0 && p99 <= ratioMax * baseline;
  if (which === 'own') {
    isWell &&= share.perSecond >= 0.95 * perSecond;
    isWell &&= percentile(during.first, 0.99) <= ratioMax * percentile(without.first, 0.99);
  }
  // Ten at once, each of ten seconds; what is slow and answers is held to that, and gets it.
  if (play === playSlow) isWell &&= share.perSecond >= 0.9 && share.perSecond <= 1.05 && share.atOnce <= 12;
  // In four times its 600 ms 17 a second come, and ten more until they are counted.
  if (play === playSlowThenHanging) isWell &&= share.atOnce <= 70;
}
console.log(isWell ? `\nwell: at most ${ratioMax} times` : `\nNOT WELL: more than ${ratioMax} times`);
process.exitCode = isWell ? 0 : 1;
