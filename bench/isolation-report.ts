import type { IsolationScene, Sent } from './isolation-cast.ts';
import { percentile } from './scene.ts';

interface Measured {
  readonly before: readonly Sent[];
  readonly during: readonly Sent[];
  readonly after: readonly Sent[];
  readonly noisyArrivals: number;
}

/** What the others may wait, in 99 of 100 cases, beside what they wait without the noisy endpoint. */
const ratioMax = 1.2;

/** What was measured, for people, and whether the others waited no longer than they may. */
export function judge(
  { title, refusedEvery }: IsolationScene,
  { before, during, after, noisyArrivals }: Measured,
): { isWell: boolean; text: string } {
  const waitsOf = refusedEvery === undefined ? firstWaits : secondWaits;
  const [one, two] = [before, after].map(waitsOf).toSorted((a, b) => p99(a) - p99(b));
  const [calm, rough, noisy] = [one ?? [], two ?? [], waitsOf(during)];
  const [ratio, noise] = [p99(noisy) / p99(calm), p99(rough) / p99(calm)];
  const isWell = ratio <= ratioMax;
  const text = [
    '',
    title,
    row('  it answers at once', calm),
    row('  the same once more', rough, p99(calm)),
    row('  it does not', noisy, p99(calm)),
    `  it got ${noisyArrivals} requests for ${during.length} events`,
    `  ${isWell ? 'well' : 'NOT WELL'}: 99th percentile ${ratio.toFixed(2)} times what it is without, allowed ${ratioMax}`,
    ...(isWell || noise <= ratioMax
      ? []
      : [`  but without it the two stretches differ by ${noise.toFixed(2)}: the machine is busy, repeat`]),
  ];
  return { isWell, text: `${text.join('\n')}\n` };
}

/** Milliseconds from PutEvents to the first request. */
function firstWaits(some: readonly Sent[]): number[] {
  return some.flatMap(({ atMs, arrivedMs }) => [...arrivedMs.values()].map(([first = NaN]) => first - atMs));
}

/** Milliseconds from the refused attempt to the next one; the policy asks for a second. */
function secondWaits(some: readonly Sent[]): number[] {
  return some.flatMap(({ arrivedMs }) =>
    [...arrivedMs.values()].flatMap(([first = NaN, second]) =>
      second === undefined ? [] : [second - first],
    ),
  );
}

function row(name: string, ms: readonly number[], baseline?: number): string {
  const [p50, p95, p99Text, most] = [0.5, 0.95, 0.99, 1].map((share) =>
    percentile(ms, share).toFixed(1).padStart(7),
  );
  const ratio = baseline === undefined ? '' : `   p99 ratio ${(p99(ms) / baseline).toFixed(2)}`;
  const count = String(ms.length).padStart(5);
  return `${name.padEnd(24)} n ${count}   p50 ${p50}   p95 ${p95}   p99 ${p99Text}   max ${most} ms${ratio}`;
}

function p99(ms: readonly number[]): number {
  return percentile(ms, 0.99);
}
