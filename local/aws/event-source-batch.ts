import type { Clock } from './clock.ts';
import { messageBytes } from './sqs-message.ts';
import type { Queue } from './sqs-queue.ts';
import type { Received } from './sqs-received.ts';

/** Lambda: a synchronous invocation carries at most 6 MB, whatever the batch size. */
const batchBytesMax = 6 * 1024 * 1024;
const messagesPerReceive = 10;

export interface Gathered {
  batch: Received[];
  /** Taken, but too much for this batch: the beginning of the next. */
  left: Received[];
}

interface Wanted {
  clock: Clock;
  batchSize: number;
  windowMs: number;
  signal: AbortSignal;
  already: Received[];
}

/**
 * One batch: waits for a first message, then until the batch is full, 6 MB are reached or the window has passed.
 * Without a window it takes what is there at once.
 */
export async function gather(
  queue: Queue,
  { clock, batchSize, windowMs, signal, already }: Wanted,
): Promise<Gathered> {
  const taken = [...already];
  if (taken.length === 0) {
    const max = Math.min(batchSize, messagesPerReceive);
    taken.push(...(await queue.receive({ max, waitSeconds: Infinity, signal })));
  }
  const full = windowMs > 0 ? windowEnd(clock, { windowMs, signal }) : undefined;
  while (full !== undefined && !full.signal.aborted && taken.length < batchSize && !isTooLarge(taken)) {
    const max = Math.min(batchSize - taken.length, messagesPerReceive);
    taken.push(...(await queue.receive({ max, waitSeconds: Infinity, signal: full.signal })));
  }
  full?.done();
  return split(taken);
}

/** A signal that the window has passed, or that all of it ends. */
function windowEnd(clock: Clock, { windowMs, signal }: { windowMs: number; signal: AbortSignal }) {
  const passed = new AbortController();
  const end = () => {
    passed.abort();
  };
  const cancel = clock.after(windowMs, end);
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  const done = () => {
    cancel();
    signal.removeEventListener('abort', end);
  };
  return { signal: passed.signal, done };
}

function isTooLarge(taken: Received[]): boolean {
  return split(taken).left.length > 0;
}

function split(taken: Received[]): Gathered {
  let bytes = 0;
  const over = taken.findIndex(({ message }) => (bytes += messageBytes(message)) > batchBytesMax);
  return over < 0 ? { batch: taken, left: [] } : { batch: taken.slice(0, over), left: taken.slice(over) };
}
