/** Faults that a standard queue may show at any time, here on request. Probabilities from 0 to 1. */
export interface QueueFaults {
  /** A message comes again, within a second, although it was received. */
  duplicate: number;
  /** A message is held back up to a second, so that later ones overtake it. */
  reorder: number;
  /** Milliseconds that a message of a queue is held back beyond its delay, whatever else befalls it. */
  lateMs?: (queue: string) => number;
  random: () => number;
}

/** Long enough to be overtaken by what follows, short enough for a test. */
const faultDelayMs = 1000;

/** How long a sent message is held back beyond its delay. */
export function heldBackMs(faults: QueueFaults | undefined, queue: string): number {
  if (faults === undefined) return 0;
  const lateMs = faults.lateMs?.(queue) ?? 0;
  return faults.random() >= faults.reorder ? lateMs : lateMs + faults.random() * faultDelayMs;
}

/**
 * How long a received message stays hidden: shorter than asked if it is to come twice, as it is too when an old receipt
 * handle shows it. Only its first receive can double it.
 */
export function hiddenMs(faults: QueueFaults | undefined, asked: { ms: number; receives: number }): number {
  if (faults === undefined || asked.receives > 1 || faults.random() >= faults.duplicate) return asked.ms;
  return Math.min(asked.ms, faults.random() * faultDelayMs);
}
