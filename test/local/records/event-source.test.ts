import { expect } from 'vitest';
import { failedIn } from '../../../local/aws/event-source-invoke.ts';
import { aQueueWithDeadLetters, only } from '../aws/a-queue.ts';
import { recorded } from './recorded.ts';

const ids = ['a', 'b'];
const failedOf = (result: unknown) => [
  ...failedIn({ kind: 'returned', result }, { ids, isReported: true }).ids,
];

recorded('esm-at-once', async () => {
  const { queue, dead } = await aQueueWithDeadLetters(3);
  await queue.send({ body: 'x' });
  // What a mapping does with a message that failed: nothing. Its visibility stays as the function has set it.
  for (let n = 1; n <= 3; n++) queue.changeVisibility(only(await queue.receive()).receiptHandle, 0);
  expect(await queue.receive()).toEqual([]);
  expect(dead.counts().visible).toBe(1);
});

recorded('esm-unknown-item', () => {
  for (const itemIdentifier of ['c', '', null]) {
    expect(failedOf({ batchItemFailures: [{ itemIdentifier }] })).toEqual(ids);
  }
  for (const result of [{ failures: [] }, { batchItemFailures: 'a' }, 'text'])
    expect(failedOf(result)).toEqual(ids);
  expect(failedOf({ batchItemFailures: [{ itemIdentifier: 'b' }] })).toEqual(['b']);
});

recorded('esm-no-answer', () => {
  for (const result of [undefined, null, {}, { batchItemFailures: [] }, { batchItemFailures: null }]) {
    expect(failedOf(result)).toEqual([]);
  }
});
