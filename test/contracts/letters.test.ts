import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeLetterQueue } from '../../lambdas/recovery/tidy/queue.ts';
import type { LetterQueue } from '../../lambdas/recovery/tidy/tidy.ts';
import { startLocalAws } from '../../local/aws/aws.ts';
import type { LocalAws } from '../../local/aws/aws.ts';
import { skewedClock, systemClock } from '../../local/aws/clock.ts';
import { aClock } from '../fakes/clock.ts';
import { memoryLetters } from '../fakes/letters.ts';
import { soon } from '../fakes/soon.ts';

// Real time that can be put forward: a receive that finds nothing waits for a second.
const clock = skewedClock(systemClock);
const calls: string[] = [];
let aws: LocalAws;
let sqs: SQSClient;
beforeAll(async () => {
  aws = await startLocalAws({
    setting: { clock },
    beforeCall: (_service, action) => {
      calls.push(action);
      return Promise.resolve();
    },
  });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  sqs = new SQSClient({ endpoint: aws.server.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
});
afterAll(() => aws.close());

interface Desk extends LetterQueue {
  readonly fall: (body: string) => Promise<void>;
  readonly pass: (ms: number) => void;
}

const holdSeconds = 900;
let queues = 0;

async function aQueue() {
  return aws.sqs.createQueue({
    name: `letters-${(queues += 1)}`,
    visibilityTimeoutSeconds: 30,
    messageRetentionSeconds: 345_600,
    delaySeconds: 0,
  });
}

const desks: [string, () => Promise<Desk>][] = [
  [
    'memory',
    () => {
      const time = aClock();
      const letters = memoryLetters(time.now, holdSeconds * 1000);
      const fall = (body: string) =>
        soon(() => {
          letters.fall(body);
        });
      return Promise.resolve({ ...letters, fall, pass: time.pass });
    },
  ],
  [
    'SQS',
    async () => {
      const queue = await aQueue();
      const fall = async (body: string) => {
        await queue.send({ body });
      };
      const pass = (ms: number) => {
        clock.skew(ms);
      };
      return { ...makeLetterQueue(sqs, queue.url, holdSeconds), fall, pass };
    },
  ],
];

describe.each(desks)('a dead-letter queue in %s', (_, open) => {
  let desk: Desk;
  beforeEach(async () => {
    desk = await open();
  });
  const all = async () => {
    const letters = [];
    for (let some = await desk.receive(); some.length > 0; some = await desk.receive()) letters.push(...some);
    return letters;
  };
  const bodies = async () => (await all()).map(({ body }) => body).toSorted();

  test('hands out each letter once while it is held, ten at a time at most', async () => {
    const fallen = Array.from({ length: 23 }, (_, index) => `letter ${String(index)}`);
    for (const body of fallen) await desk.fall(body);
    expect((await desk.receive()).length).toBeLessThanOrEqual(10);
    expect((await all()).length).toBeGreaterThanOrEqual(13);
    expect(await all()).toEqual([]);
  });

  test('hands out a letter again, under the same id, when its visibility has ended', async () => {
    await desk.fall('again');
    const [first] = await all();
    desk.pass(holdSeconds * 1000 - 60_000);
    expect(await all()).toEqual([]);
    desk.pass(60_000);
    const [second] = await all();
    expect(second?.id).toBe(first?.id);
    expect(second?.receipt).not.toBe(first?.receipt);
  });

  test('forgets the letters that are removed, more than ten of them', async () => {
    for (let index = 0; index < 12; index += 1) await desk.fall(`old ${String(index)}`);
    await desk.fall('kept');
    const letters = await all();
    expect(await desk.remove(letters.filter(({ body }) => body.startsWith('old')))).toEqual([]);
    desk.pass(holdSeconds * 1000);
    expect(await bodies()).toEqual(['kept']);
  });

  test('shows the letters that are released at once, more than ten of them', async () => {
    const fallen = Array.from({ length: 12 }, (_, index) => `back ${String(index)}`);
    for (const body of [...fallen, 'held']) await desk.fall(body);
    const letters = await all();
    expect(await desk.release(letters.filter(({ body }) => body !== 'held'))).toEqual([]);
    expect(await bodies()).toEqual(fallen.toSorted());
  });

  test('says which letters it could not release, and releases the others', async () => {
    await desk.fall('gone');
    await desk.fall('there');
    const letters = await all();
    const gone = letters.filter(({ body }) => body === 'gone');
    await desk.remove(gone);
    expect(await desk.release(letters)).toEqual(gone);
    expect(await bodies()).toEqual(['there']);
  });

  test('removes nothing by a receipt of an earlier receive', async () => {
    await desk.fall('met twice');
    const early = await all();
    desk.pass(holdSeconds * 1000);
    const late = await all();
    await desk.remove(early);
    await desk.release(late);
    expect(await bodies()).toEqual(['met twice']);
  });

  test('has nothing to do for no letters', async () => {
    expect([await desk.remove([]), await desk.release([])]).toEqual([[], []]);
  });
});

describe('requests to SQS', () => {
  test('say which letters were not removed', async () => {
    const queue = await aQueue();
    const letters = makeLetterQueue(sqs, queue.url, holdSeconds);
    await queue.send({ body: 'one' });
    const [one] = await letters.receive();
    const broken = { id: 'x', receipt: 'no receipt of anybody', body: '' };
    expect(await letters.remove([broken, ...(one === undefined ? [] : [one])])).toEqual([broken]);
    expect(queue.counts()).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
  });

  test('never send anything: a queue that was sent to cannot be redriven', () => {
    expect(new Set(calls)).toEqual(
      new Set(['ReceiveMessage', 'DeleteMessageBatch', 'ChangeMessageVisibilityBatch']),
    );
  });
});
