import type { Queue } from '../../local/aws/sqs-queue.ts';
import type { Received } from '../../local/aws/sqs-received.ts';

/** Somebody looks into a queue in the console: each message is visible again a moment later. */
export async function contentsOf(queue: Queue): Promise<string[]> {
  const seen: Received[] = [];
  for (
    let batch = await queue.receive({ max: 10 });
    batch.length > 0;
    batch = await queue.receive({ max: 10 })
  )
    seen.push(...batch);
  for (const { receiptHandle } of seen) queue.changeVisibility(receiptHandle, 0);
  return seen.map(({ message }) => message.body);
}
