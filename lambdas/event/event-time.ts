/** How far ahead of our clock an event may say that it happened, in milliseconds: ids sort by that time. */
const aheadMsMax = 86_400_000;

/**
 * What two clocks of AWS may differ by, and more. What the API has taken, by its own clock, must never be refused later
 * by the clock of a queue that is behind: its publisher has been told its id.
 */
export const clocksMsMax = 300_000;

/** Said of a time that is not. */
export const timeBounds = 'lies before 1970 or more than a day ahead';

/**
 * Whether an event may have happened at a time: no id holds one before 1970, and one far ahead would stand before all
 * others in every list, and be looked for only when it comes. Of what is no number the answer is no.
 *
 * @param timeMs what a producer says, in milliseconds since 1970
 * @param nowMs by a clock of ours, or of a queue; never by the producer's
 */
export function isEventTime(timeMs: number, nowMs: number): boolean {
  return timeMs >= 0 && timeMs <= nowMs + aheadMsMax;
}
