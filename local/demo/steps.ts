import { setTimeout as sleep } from 'node:timers/promises';
import { styleText } from 'node:util';

/**
 * Runs one step of the demo and prints what was seen.
 *
 * @param seen returns what to print beside the mark, and throws when the step was not seen.
 */
export async function step<T>(title: string, seen: () => Promise<T> | T): Promise<T> {
  try {
    const result = await seen();
    console.log(`${styleText('green', '✔')} ${title}${typeof result === 'string' ? `: ${result}` : ''}`);
    return result;
  } catch (error) {
    console.log(`${styleText('red', '✘')} ${title}`);
    throw error;
  }
}

/** Waits until something is there, and says what was missing when it does not come in time. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  limitMs = 20_000,
): Promise<T> {
  const endMs = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > endMs) throw new Error(`Not seen within ${limitMs / 1000} s: ${what}`);
    await sleep(100);
  }
}

/** @throws Error with what was expected, unless it holds. */
export function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Expected ${what}`);
}
