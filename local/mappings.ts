import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalAws } from './aws/aws.ts';
import { startEventSource } from './aws/event-source.ts';
import type { EventSource } from './aws/event-source.ts';
import type { Mapping } from './resources/functions.ts';

/**
 * In the account every batch has an environment and a CPU of its own; here all share one machine. An attempt that waits
 * for its receiver takes no CPU, so there may be many. But a thousand TLS handshakes at once would take longer than their
 * own timeouts, and calls that wait for each other until they time out come again: nothing would get done.
 */
const batchesMax = 32;

/** Of the stand-ins, what has to be there for it. */
type Aws = Pick<LocalAws, 'setting' | 'sqs'>;

/** Has functions take what is in their queues, some batches of each at a time; with 0 nobody takes anything. */
export function startMappings(
  aws: Aws,
  mappings: readonly Mapping[],
  concurrencyMax = batchesMax,
): EventSource[] {
  if (concurrencyMax === 0) return [];
  return mappings.map((mapping) => startMapping(aws, mapping, concurrencyMax));
}

function startMapping(aws: Aws, mapping: Mapping, concurrencyMax: number): EventSource {
  return startEventSource({
    setting: aws.setting,
    sqs: aws.sqs,
    queueArn: mapping.queueArn,
    batchSize: mapping.batchSize,
    maximumBatchingWindowSeconds: mapping.windowSeconds,
    maximumConcurrency: Math.min(concurrencyMax, mapping.maximumConcurrency ?? concurrencyMax),
    reportBatchItemFailures: mapping.reportsItemFailures,
    functionArn: mapping.function.arn,
    timeoutSeconds: mapping.function.timeoutSeconds,
    invoke: (event) => mapping.function.invoke(event),
    permit: mapping.permit,
  });
}

/** What a stop waits for deliveries under way; a receiver that hangs longer gets its delivery again at the next start. */
const stopPatienceMs = 2000;

/** Ends the taking; batches under way may end within a moment. */
export async function stopSources(sources: readonly EventSource[]): Promise<void> {
  const stopped = Promise.all(sources.map((source) => source.stop()));
  const patience = new AbortController();
  await Promise.race([stopped, sleep(stopPatienceMs, undefined, { signal: patience.signal })]);
  patience.abort();
}
