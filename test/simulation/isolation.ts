import { parseArgs } from 'node:util';
import { runIsolation } from './isolation-world.ts';
import type { Wait } from './isolation-world.ts';

/**
 * `npm run simulate:isolation -- --seconds N`: one endpoint takes half of all traffic and hangs; how long do the others
 * wait, compared with the same run in which it answers? In virtual time, so that nothing but the engine is measured.
 * Exits 1 when the 99th percentile is more than 1.2 times what it is without.
 */
const { values } = parseArgs({ options: { seconds: { type: 'string', default: '300' } } });
const seconds = Number(values.seconds);
if (!Number.isInteger(seconds) || seconds < 1) {
  console.error('--seconds takes a whole number from 1.');
  process.exit(2);
}

const ratioMax = 1.2;

/** Until all instances know that the endpoint is slow: 3 s, and 5 s of what they remember. */
const onsetMs = 10_000;

function p99(waits: readonly Wait[]): number {
  const sorted = waits.map(({ waitMs }) => waitMs).toSorted((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? NaN;
}

let isWell = true;
for (const perSecond of [5, 10, 20, 50]) {
  const without = await runIsolation({ perSecond, seconds, hangs: false });
  const during = await runIsolation({ perSecond, seconds, hangs: true });
  const baseline = p99(without);
  const onset = during.filter(({ atMs }) => atMs < onsetMs);
  const since = during.filter(({ atMs }) => atMs >= onsetMs);
  const ratio = (waits: readonly Wait[]) => (p99(waits) / baseline).toFixed(2);
  console.log(
    `${perSecond} events/s: p99 ${baseline} ms without; while it hangs ${p99(during)} ms (${ratio(during)}), ` +
      `of which the first ten seconds ${p99(onset)} ms (${ratio(onset)}), then ${p99(since)} ms (${ratio(since)})`,
  );
  isWell &&= p99(during) <= ratioMax * baseline;
}
console.log(isWell ? `\nwell: at most ${ratioMax} times` : `\nNOT WELL: more than ${ratioMax} times`);
process.exitCode = isWell ? 0 : 1;
