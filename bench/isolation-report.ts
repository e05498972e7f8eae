import { percentile } from './scene.ts';

/** An event on its way to a healthy endpoint; times by `performance.now()`. */
export interface Sent {
  readonly atMs: number;
  /** Messages that waited in the queues when it was sent. */
  readonly depths: { readonly deliveries: number; readonly retries: number };
  arrivedMs?: number;
  /** At its second attempt, if the first was refused. */
  arrivedAgainMs?: number;
}

/** When a delivery to the hanging endpoint was first put off, because it is slow or paused. */
export interface Known {
  slowMs?: number;
  pausedMs?: number;
}

interface Measured {
  readonly before: readonly Sent[];
  readonly during: readonly Sent[];
  readonly after: readonly Sent[];
  readonly known: Known;
  readonly hangsSinceMs: number;
  readonly lines: ReadonlyMap<string, number>;
  readonly hangingAttempts: number;
}

/** What the others may wait, in 99 of 100 cases, beside what they wait without the hanging endpoint. */
const ratioMax = 1.2;

/** What was measured, for people, and whether the others waited no longer than they may. */
export function makeReport(measured: Measured): { isWell: boolean; text: string } {
  const { before, during, after, known, lines } = measured;
  // Others may use the machine: of the two phases A the calmer one is what B is held against.
  const calm = p99(waits(before)) <= p99(waits(after)) ? before : after;
  const baseline = p99(waits(calm));
  const noise = p99(waits(calm === before ? after : before)) / baseline;
  const knownMs = Math.min(known.slowMs ?? Infinity, known.pausedMs ?? Infinity);
  const [onset, since] = [
    during.filter(({ atMs }) => atMs < knownMs),
    during.filter(({ atMs }) => atMs >= knownMs),
  ];
  const ratio = p99(waits(since)) / baseline;
  const isWell = ratio <= ratioMax;
  const text = [
    row('A: it answers at once', waits(calm)),
    row('A once more, when less calm', waits(calm === before ? after : before), baseline),
    row('B (i): it hangs, all of it', waits(during), baseline),
    row('   before that was known', waits(onset), baseline),
    row('B (ii): since it was known', waits(since), baseline),
    '',
    row('second attempts in A', rounds(calm)),
    row('second attempts in B', rounds(during), p99(rounds(calm))),
    '',
    ...story(measured, knownMs, baseline),
    `lines of the functions in B: ${JSON.stringify(Object.fromEntries([...lines].sort()))}`,
    `${isWell ? 'well' : 'NOT WELL'}: 99th percentile in B (ii) ${ratio.toFixed(2)} times that in A, allowed ${ratioMax}`,
    ...(isWell || noise <= ratioMax
      ? []
      : [`but A's own two phases differ by ${noise.toFixed(2)}: the machine is busy, repeat`]),
  ];
  return { isWell, text: `${text.join('\n')}\n` };
}

/** When it was known, how long the onset was felt, and where what waited was. */
function story(measured: Measured, knownMs: number, baseline: number): string[] {
  const { during, known, hangsSinceMs, hangingAttempts } = measured;
  const at = (ms: number | undefined) =>
    ms === undefined ? 'never' : `${((ms - hangsSinceMs) / 1000).toFixed(1)} s`;
  const late = during.filter((one) => (waits([one])[0] ?? 0) > ratioMax * baseline);
  const lateSince = late.filter(({ atMs }) => atMs >= knownMs).length;
  const deepest = (some: readonly Sent[], name: 'deliveries' | 'retries') =>
    some.reduce((most, { depths }) => Math.max(most, depths[name]), 0);
  const [first, then] = [
    during.filter(({ atMs }) => atMs < knownMs),
    during.filter(({ atMs }) => atMs >= knownMs),
  ];
  const depths = (some: readonly Sent[]) =>
    `deliveries ${deepest(some, 'deliveries')}, retries ${deepest(some, 'retries')}`;
  return [
    `known to be slow after ${at(known.slowMs)}, paused after ${at(known.pausedMs)} (when a delivery to it was first put off)`,
    `waited longer than ${ratioMax} times A's p99: ${late.length} of ${during.length}, ${lateSince} of them sent since it was known`,
    `attempts at the hanging endpoint: ${hangingAttempts}, for ${during.length} events`,
    `most that waited in the queues: before it was known ${depths(first)}; since then ${depths(then)}`,
  ];
}

/** Milliseconds from PutEvents to the first request. */
function waits(some: readonly Sent[]): number[] {
  return some.map(({ atMs, arrivedMs = NaN }) => arrivedMs - atMs);
}

/** Milliseconds from the refused attempt to the next one; the policy asks for a second. */
function rounds(some: readonly Sent[]): number[] {
  return some.flatMap(({ arrivedMs = NaN, arrivedAgainMs }) =>
    arrivedAgainMs === undefined ? [] : [arrivedAgainMs - arrivedMs],
  );
}

function row(name: string, ms: readonly number[], baseline?: number): string {
  const [p50, p95, p99Text, most] = [0.5, 0.95, 0.99, 1].map((share) =>
    percentile(ms, share).toFixed(1).padStart(7),
  );
  const ratio = baseline === undefined ? '' : `   p99 ratio ${(p99(ms) / baseline).toFixed(2)}`;
  const count = String(ms.length).padStart(5);
  return `${name.padEnd(28)} n ${count}   p50 ${p50}   p95 ${p95}   p99 ${p99Text}   max ${most} ms${ratio}`;
}

function p99(ms: readonly number[]): number {
  return percentile(ms, 0.99);
}
