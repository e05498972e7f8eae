import type { Context, SQSEvent } from 'aws-lambda';

import { AwsError } from './aws-error.ts';
import { gather, type Gathered } from './event-source-batch.ts';
import { failedIn, invokeWithin, recordOf } from './event-source-invoke.ts';
import { type Setting, uuid } from './setting.ts';
import type { Queue } from './sqs-queue.ts';
import type { Received } from './sqs-received.ts';
import type { Sqs } from './sqs.ts';

/** Lambda: an uncapped mapping starts with five batches at a time, and here it stays there. */
const concurrencyDefault = 5;

export interface EventSourceOptions {
  setting: Setting;
  sqs: Sqs;
  queueArn: string;
  /** 1 to 10,000; above 10 the window must be at least a second. */
  batchSize: number;
  /** 0 to 300. */
  maximumBatchingWindowSeconds?: number | undefined;
  /** 2 to 1,000; left out, 5. */
  maximumConcurrency?: number | undefined;
  /** Whether the mapping has `ReportBatchItemFailures`; if not, what the function returns is ignored. */
  reportBatchItemFailures: boolean;
  functionArn: string;
  timeoutSeconds: number;
  invoke: (event: SQSEvent, context: Context) => unknown;
  /** Judges what the mapping does with the function's role; each throws an AwsError when nothing allows it. */
  permit?: { receive: () => void; delete: () => void } | undefined;
}

export interface EventSource {
  /** Takes no more messages, lets what runs end, and resolves then. Messages taken but not yet handed over go back. */
  stop(): Promise<void>;
  /** Whether no invocation runs. What waits for its window, or comes back later, shows in the queue's counts. */
  isIdle(): boolean;
}

/**
 * The event source mapping: takes batches off a queue and invokes the function, several at a time.
 * It waits on the queue's own signal and holds no timer while the queue is empty. A poller takes messages only when
 * an invocation is free, so none loses visibility by waiting here.
 * Source: Lambda developer guide, "Using Lambda with Amazon SQS" and services-sqs-errorhandling.
 *
 * @throws AwsError when the function's role may not receive: Lambda makes no such mapping.
 */
export function startEventSource(options: EventSourceOptions): EventSource {
  const queue = options.sqs.queueByArn(options.queueArn);
  checkMapping(options, queue);
  options.permit?.receive();
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  const poller = poll({ options, queue, running, signal: stopping.signal });
  return {
    stop: async () => {
      stopping.abort();
      await poller;
      await Promise.all(running);
    },
    isIdle: () => running.size === 0,
  };
}

interface Poll {
  options: EventSourceOptions;
  queue: Queue;
  running: Set<Promise<void>>;
  signal: AbortSignal;
}

async function poll({ options, queue, running, signal }: Poll): Promise<void> {
  const { setting, batchSize, maximumBatchingWindowSeconds = 0 } = options;
  const concurrency = options.maximumConcurrency ?? concurrencyDefault;
  const wanted = { clock: setting.clock, batchSize, windowMs: maximumBatchingWindowSeconds * 1000, signal };
  const isStopping = () => signal.aborted;
  let left: Received[] = [];
  while (!isStopping()) {
    if (running.size >= concurrency) {
      // Not raced against the stop: that waits for what runs in any case.
      await Promise.race(running);
      continue;
    }
    options.permit?.receive();
    const gathered: Gathered = await gather(queue, { ...wanted, already: left });
    left = gathered.left;
    if (isStopping()) left = [...gathered.batch, ...left];
    else if (gathered.batch.length > 0) start(gathered.batch);
    // A receive without an end comes back with nothing only from a queue that was closed.
    else return;
  }
  for (const { receiptHandle } of left) giveBack(queue, receiptHandle);

  function start(batch: Received[]): void {
    const invocation: Promise<void> = handle(batch, { options, queue }).finally(() =>
      running.delete(invocation),
    );
    running.add(invocation);
  }
}

/** Hands over a batch and deletes what succeeded. What failed is left alone: it comes back when its visibility ends. */
async function handle(batch: Received[], { options, queue }: { options: EventSourceOptions; queue: Queue }) {
  const { setting, functionArn } = options;
  const source = { arn: queue.arn, region: setting.region };
  const event = { Records: batch.map((received) => recordOf(received, source)) };
  const requestId = uuid(setting.random);
  const outcome = await invokeWithin(event, { ...options, requestId });
  const ids = batch.map(({ message }) => message.id);
  const failed = failedIn(outcome, { ids, isReported: options.reportBatchItemFailures });
  if (failed.problem !== undefined) setting.report(`${functionArn}: ${failed.problem}`);
  const succeeded = batch.filter(({ message }) => !failed.ids.has(message.id));
  const mayDelete = permitted(options);
  const deletions = await Promise.allSettled(
    succeeded.map(({ receiptHandle }) =>
      mayDelete ? queue.delete(receiptHandle) : Promise.reject(notAllowed),
    ),
  );
  const failures = deletions.filter(({ status }) => status === 'rejected').length;
  if (failures > 0)
    setting.report(`${functionArn}: ${failures} messages could not be deleted and will come again`);
}

const notAllowed = new Error('The role of the function may not delete.');

function permitted({ permit, setting }: EventSourceOptions): boolean {
  try {
    permit?.delete();
    return true;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    setting.report(error.message);
    return false;
  }
}

/** A message that was taken and not handed over is visible again at once, unless its visibility has ended already. */
function giveBack(queue: Queue, receiptHandle: string): void {
  try {
    queue.changeVisibility(receiptHandle, 0);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
  }
}

function checkMapping(options: EventSourceOptions, queue: Queue): void {
  const { batchSize, maximumBatchingWindowSeconds: window = 0, maximumConcurrency, timeoutSeconds } = options;
  const { visibilityTimeoutSeconds } = queue.definition;
  const wrong = (reason: string) => new AwsError('InvalidParameterValueException', reason);
  if (!isWithin(batchSize, [1, 10_000])) throw wrong('BatchSize must be between 1 and 10,000.');
  if (!isWithin(window, [0, 300])) throw wrong('MaximumBatchingWindowInSeconds must be between 0 and 300.');
  if (batchSize > 10 && window < 1)
    throw wrong('A BatchSize above 10 needs a MaximumBatchingWindowInSeconds of 1.');
  if (maximumConcurrency !== undefined && !isWithin(maximumConcurrency, [2, 1000])) {
    throw wrong('MaximumConcurrency must be between 2 and 1,000.');
  }
  if (visibilityTimeoutSeconds < timeoutSeconds) {
    throw wrong(
      `Queue visibility timeout: ${visibilityTimeoutSeconds} seconds is less than the function's timeout.`,
    );
  }
}

function isWithin(value: number, [min, max]: [number, number]): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
