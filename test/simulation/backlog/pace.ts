import { pace } from '../../../lambdas/endpoint/health/pace.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';

/** How an endpoint's pace was kept while it came back. */
export interface Kept {
  /** Of what its pace allows in any ten seconds, and the burst beside it, the most that it got. */
  readonly most: number;
  /** Of what it was promised in a window, the least that it got while there was more to come. */
  readonly least: number;
  /** What it got in each window, a second. */
  readonly perSecond: readonly number[];
}

const secondMs = 1_000;
/** What has not been used for so long is not lost (health/pace.ts). */
const burstSeconds = 2;
/** A lane works on a hundred batches at a time, each of ten deliveries and of half a second and more. */
const laneMax = 1_500;

/**
 * Holds arrivals against the pace of an endpoint that came back with the first of them.
 *
 * @param windowSeconds in which it must get what it was promised: half a minute of the ramp, ten minutes of a limit
 */
export function keptPace(
  arrivedMs: readonly number[],
  { limit, windowSeconds }: { readonly limit: number | null; readonly windowSeconds: number },
): Kept {
  // The probe; it has ended the pause when it was answered and noted.
  const backMs = (arrivedMs[0] ?? NaN) + 400;
  const promisedAt = (second: number) =>
    Math.min(
      laneMax,
      pace({ rateLimitPerSecond: limit }, { backSince: isoTime(backMs) }, backMs + second * secondMs) ??
        laneMax,
    );
  const counts = countsOf(arrivedMs.slice(1), backMs);
  const sumOf = (from: number, to: number) => counts.slice(from, to).reduce((sum, count) => sum + count, 0);
  const shares = counts.map((_, second) => {
    const allowed = pace(
      { rateLimitPerSecond: limit },
      { backSince: isoTime(backMs) },
      backMs + (second + 10) * secondMs,
    );
    return allowed === undefined ? 0 : sumOf(second, second + 10) / (allowed * (10 + burstSeconds));
  });
  // The last window ends with the work and not with the window.
  const windows = Array.from(
    { length: Math.floor(counts.length / windowSeconds) },
    (_, at) => at * windowSeconds,
  );
  const least = windows.map((from) => {
    const promised = Array.from({ length: windowSeconds }, (_, second) => promisedAt(from + second));
    return sumOf(from, from + windowSeconds) / promised.reduce((sum, one) => sum + one, 0);
  });
  return {
    most: Math.max(0, ...shares),
    least: Math.min(Infinity, ...least),
    perSecond: windows.map((from) => Math.round(sumOf(from, from + windowSeconds) / windowSeconds)),
  };
}

function countsOf(arrivedMs: readonly number[], fromMs: number): number[] {
  const counts: number[] = [];
  for (const atMs of arrivedMs) {
    const second = Math.max(0, Math.floor((atMs - fromMs) / secondMs));
    counts[second] = (counts[second] ?? 0) + 1;
  }
  return Array.from({ length: counts.length }, (_, second) => counts[second] ?? 0);
}
