import { expect, it, vi } from 'vitest';
import { aSetting } from '../../local/aws/setting.ts';
import { Sqs } from '../../local/aws/sqs.ts';
import { startMappings, stopSources } from '../../local/mappings.ts';
import { definitionOf } from './aws/a-queue.ts';

/** A queue with 400 messages, and a function that holds what it has taken until it is let go. */
async function aBacklog(maximumConcurrency: number) {
  const setting = aSetting();
  const sqs = new Sqs(setting);
  const queue = await sqs.createQueue(definitionOf({ visibilityTimeoutSeconds: 270 }));
  for (let sent = 0; sent < 400; sent += 1) await queue.send({ body: String(sent) });
  const held = Promise.withResolvers<undefined>();
  const invoke = vi.fn(() => held.promise);
  const mapping = {
    queueArn: queue.arn,
    function: { arn: 'arn:aws:lambda:us-east-1:000000000000:function:f', timeoutSeconds: 45, invoke },
    batchSize: 10,
    windowSeconds: 0,
    maximumConcurrency,
    reportsItemFailures: true,
    permit: { receive: () => undefined, delete: () => undefined },
  };
  return { aws: { setting, sqs }, mapping, invoke, letGo: held.resolve };
}

it.each([
  ['32 batches at a time, so that those which wait for a receiver hold up few others', 100, 32],
  ['never more batches than the template allows', 2, 2],
])('a mapping takes %s', async (_what, allowed, taken) => {
  const { aws, mapping, invoke, letGo } = await aBacklog(allowed);
  const sources = startMappings(aws, [mapping]);
  await vi.waitFor(() => {
    expect(invoke).toHaveBeenCalledTimes(taken);
  });
  // What comes after all of them would have come by then.
  await new Promise((resolve) => setImmediate(resolve));
  expect(invoke).toHaveBeenCalledTimes(taken);
  letGo(undefined);
  await stopSources(sources);
});
