import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { tidy } from '../../../lambdas/recovery/tidy/tidy.ts';
import type { Letter, LetterQueue } from '../../../lambdas/recovery/tidy/tidy.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDead, aDelivered, aDelivery, aDiscarded } from '../../fakes/a-delivery.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { aClock, testStartMs } from '../../fakes/clock.ts';
import { eventIdOf } from '../../fakes/ids.ts';
import { memoryLedger } from '../../fakes/ledger.ts';
import { memoryLetters } from '../../fakes/letters.ts';
import { memoryLog } from '../../fakes/log.ts';

const holdMs = 900_000;

/** A dead-letter queue and a ledger between which a run has all the time it needs, unless told otherwise. */
function aDesk(wish: { remainingMs?: () => number; queue?: Partial<LetterQueue> } = {}) {
  const clock = aClock();
  const ledger = memoryLedger(clock.now);
  const letters = memoryLetters(clock.now, holdMs);
  const journal = memoryLog();
  const reads: string[] = [];
  return {
    ...{ clock, ledger, letters, reads },
    lines: journal.lines,
    fall: (message: Partial<DeliveryMessage>) => {
      letters.fall(JSON.stringify(aMessage(message)));
    },
    run: () =>
      tidy({
        queue: { ...letters, ...wish.queue },
        readDelivery: (endpointId, eventId) => {
          reads.push(eventId);
          return ledger.deliveries.get(endpointId, eventId);
        },
        remainingMs: wish.remainingMs ?? (() => 600_000),
        log: journal.log,
      }),
    visible: () => letters.visible().map((body) => JSON.parse(body) as DeliveryMessage),
  };
}

const dead = { at: isoTime(testStartMs), attempts: 1, lastError: 'http_500' };
const marked = { round: 1, attempt: 1, dead };

describe('a dead letter', () => {
  it.each<[string, Partial<DeliveryMessage>, Delivery | undefined]>([
    ['was delivered by hand in the same round', marked, aDelivered()],
    ['was discarded', marked, aDiscarded()],
    ['was delivered in a later round', marked, aDelivered({ round: 2, attemptCount: 2, roundStart: 1 })],
    [
      'is being tried in a later round, and it has no mark to open one',
      { attempt: 1 },
      aDelivery({ round: 2, attemptCount: 2, roundStart: 1 }),
    ],
    [
      'is being tried in the round after the one it opens',
      marked,
      aDelivery({ round: 3, attemptCount: 3, roundStart: 2 }),
    ],
    [
      'died again in a later round, and it has no mark to open one',
      { attempt: 1 },
      aDead({ round: 2, attemptCount: 2, roundStart: 1 }),
    ],
    ['was a copy, fallen without a mark, of what was delivered', { attempt: 1 }, aDelivered()],
  ])('leaves the queue when its delivery %s', async (_, message, delivery) => {
    const desk = aDesk();
    if (delivery !== undefined) await desk.ledger.record(delivery);
    desk.fall(message);
    await desk.run();
    expect(desk.letters.size()).toBe(0);
    expect(desk.lines).toEqual([
      { message: 'dead_letters.tidied', fields: { examined: 1, removed: 1, kept: 0 } },
    ]);
  });

  it.each<[string, Partial<DeliveryMessage>, Delivery | undefined]>([
    ['is still dead', marked, aDead()],
    ['is not in the ledger, which proves nothing', marked, undefined],
    // It may be the only message left of the chain: redriven, it goes on.
    ['is being tried and has lost this message', { attempt: 2 }, aDelivery()],
    ['is being tried and has lost what should have followed', { attempt: 1 }, aDelivery()],
    [
      'is being tried in the round that it opened when it was redriven',
      marked,
      aDelivery({ round: 2, attemptCount: 2, roundStart: 1 }),
    ],
    [
      'died in the round that it opened, whose own letter was never sent',
      marked,
      aDead({ round: 2, attemptCount: 2, roundStart: 1 }),
    ],
    ['is dead, and lost its mark on the way', { attempt: 1 }, aDead()],
    ['ended in an earlier round, and this would have begun the next', { round: 2, attempt: 2 }, aDelivered()],
    ['is dead in an earlier round', { round: 2, attempt: 2, trigger: 'manual' }, aDead()],
  ])('stays, and is seen again at once, when its delivery %s', async (_, message, delivery) => {
    const desk = aDesk();
    if (delivery !== undefined) await desk.ledger.record(delivery);
    desk.fall(message);
    await desk.run();
    expect(desk.visible()).toEqual([aMessage(message)]);
    expect(desk.lines).toEqual([
      { message: 'dead_letters.tidied', fields: { examined: 1, removed: 0, kept: 1 } },
    ]);
  });

  it('that cannot be read stays', async () => {
    const desk = aDesk();
    for (const body of ['not json', '{}', JSON.stringify({ ...aMessage(), v: 2 })]) desk.letters.fall(body);
    await desk.run();
    expect(desk.letters.visible()).toHaveLength(3);
    expect(desk.reads).toEqual([]);
  });

  it('of a record past its time stays: nothing is known of it', async () => {
    const desk = aDesk();
    await desk.ledger.record(aDelivered({ expiresAt: testStartMs / 1000 - 1 }));
    desk.fall(marked);
    await desk.run();
    expect(desk.visible()).toHaveLength(1);
  });
});

describe('of two letters of rounds that follow each other', () => {
  it.each(['the older', 'the newer'])(
    'only that of the latest stays, though %s comes first',
    async (first) => {
      const desk = aDesk();
      await desk.ledger.record(aDead({ round: 2, attemptCount: 2, roundStart: 1 }));
      const letters = [marked, { ...marked, round: 2, attempt: 2 }];
      for (const letter of first === 'the older' ? letters : letters.toReversed()) desk.fall(letter);
      await desk.run();
      expect(desk.visible().map(({ round }) => round)).toEqual([2]);
    },
  );
});

describe('of two copies', () => {
  it.each([
    ['the marked one', [{ attempt: 1 }, marked], marked],
    ['the marked one, whichever came first', [marked, { attempt: 1 }], marked],
    ['one, of two marked ones', [marked, marked], marked],
    ['the later attempt, of two unmarked ones', [{ attempt: 1 }, { attempt: 2 }], { attempt: 2 }],
    ['one, of very many', Array.from({ length: 35 }, () => marked), marked],
  ])('%s stays', async (_, copies, kept) => {
    const desk = aDesk();
    await desk.ledger.record(aDead());
    for (const copy of copies) desk.fall(copy);
    await desk.run();
    expect(desk.visible()).toEqual([aMessage(kept)]);
  });

  it('both stay when they are of two rounds that may still be begun', async () => {
    const desk = aDesk();
    desk.fall({ round: 1 });
    desk.fall({ round: 2, trigger: 'manual' });
    await desk.run();
    expect(desk.visible()).toHaveLength(2);
  });

  it('a letter that SQS hands out twice is none: it stays', async () => {
    const letters = memoryLetters(aClock().now);
    // At least once: the same message in one answer and again in the next, by another receipt.
    const twice = [(all: readonly Letter[]) => [...all, ...all], (all: readonly Letter[]) => all];
    let last: readonly Letter[] = [];
    const receive = async () => {
      const some = await letters.receive();
      if (some.length > 0) last = some;
      return twice.shift()?.(last) ?? [];
    };
    const desk = aDesk({ queue: { ...letters, receive } });
    await desk.ledger.record(aDead());
    letters.fall(JSON.stringify(aMessage(marked)));
    await desk.run();
    expect(letters.visible()).toHaveLength(1);
    expect(desk.lines[0]?.fields).toEqual({ examined: 1, removed: 0, kept: 1 });
  });
});

describe('a run', () => {
  const fallMany = async (desk: ReturnType<typeof aDesk>, count: number) => {
    for (let index = 0; index < count; index += 1) {
      const eventId = eventIdOf(String(index));
      await desk.ledger.record(index % 2 === 0 ? aDead({ eventId }) : aDelivered({ eventId }));
      desk.fall({ ...marked, eventId });
    }
  };

  it('looks at every letter once, however many', async () => {
    const desk = aDesk();
    await fallMany(desk, 137);
    await desk.run();
    expect(desk.reads).toHaveLength(137);
    expect(new Set(desk.reads).size).toBe(137);
    expect(desk.letters.visible()).toHaveLength(69);
    expect(desk.lines[0]?.fields).toEqual({ examined: 137, removed: 68, kept: 69 });
  });

  it('that has nothing to do says so', async () => {
    const desk = aDesk();
    await desk.run();
    expect(desk.lines[0]?.fields).toEqual({ examined: 0, removed: 0, kept: 0 });
  });

  it('stops in time, and gives back what it holds', async () => {
    let looks = 0;
    const desk = aDesk({ remainingMs: () => ((looks += 1) > 3 ? 100_000 : 600_000) });
    await fallMany(desk, 50);
    await desk.run();
    expect(desk.lines[0]?.fields).toEqual({ examined: 30, removed: 15, kept: 15 });
    expect(desk.letters.visible()).toHaveLength(35);
  });

  it('gives back what it holds when the ledger fails in the middle, and fails', async () => {
    const desk = aDesk();
    await fallMany(desk, 30);
    const broken = desk.ledger.deliveries.get;
    let reads = 0;
    desk.ledger.deliveries.get = async (...ids) => {
      if ((reads += 1) > 15) throw new Error('throttled');
      return broken(...ids);
    };
    await expect(desk.run()).rejects.toThrow('throttled');
    // Of the first ten, five were delivered.
    expect(desk.letters.visible()).toHaveLength(25);
    expect(desk.lines[0]?.fields).toEqual({ examined: 20, removed: 5, kept: 15 });
  });

  it('gives back a letter that SQS would not remove', async () => {
    const letters = memoryLetters(aClock().now);
    const remove = async (all: readonly Letter[]) => {
      await letters.remove(all.slice(1));
      return all.slice(0, 1);
    };
    const desk = aDesk({ queue: { ...letters, remove } });
    await desk.ledger.record(aDelivered());
    for (let index = 0; index < 3; index += 1) letters.fall(JSON.stringify(aMessage(marked)));
    await desk.run();
    expect(letters.visible()).toHaveLength(1);
    expect(desk.lines[0]?.fields).toEqual({ examined: 3, removed: 2, kept: 1 });
  });

  it('that cannot give back says so, and what it held comes back when its visibility ends', async () => {
    const desk = aDesk({ queue: { release: () => Promise.reject(new Error('SQS is away')) } });
    await fallMany(desk, 3);
    await desk.run();
    expect(desk.lines.map(({ message }) => message)).toEqual(['release.failed', 'dead_letters.tidied']);
    expect(desk.letters.visible()).toEqual([]);
    desk.clock.pass(holdMs);
    expect(desk.letters.visible()).toHaveLength(2);
  });
});

/** What may be in the queue, and in the ledger, of three events. */
const eventIds = ['a', 'b', 'c'].map((name) => eventIdOf(name));
const letter = fc.record({
  eventId: fc.constantFrom(...eventIds),
  round: fc.integer({ min: 1, max: 3 }),
  attempt: fc.integer({ min: 1, max: 4 }),
  isMarked: fc.boolean(),
});
const record = fc.record({
  make: fc.constantFrom(aDead, aDelivered, aDelivery, aDiscarded),
  round: fc.integer({ min: 1, max: 3 }),
  attemptCount: fc.integer({ min: 1, max: 4 }),
});
const scene = fc.record({
  fallen: fc.array(letter, { maxLength: 40 }),
  records: fc.tuple(...eventIds.map(() => fc.option(record))),
  diesAfter: fc.integer({ min: 0, max: 12 }),
});

/** The function is killed at its n-th call: nothing after it happens. */
function killedAfter(queue: LetterQueue, calls: number): LetterQueue {
  let left = calls;
  const mortal =
    <Given extends readonly unknown[], Value>(call: (...given: Given) => Promise<Value>) =>
    (...given: Given): Promise<Value> =>
      (left -= 1) < 0 ? Promise.reject(new Error('killed')) : call(...given);
  return { receive: mortal(queue.receive), remove: mortal(queue.remove), release: mortal(queue.release) };
}

describe('whatever is in the queue and wherever a run dies', () => {
  it('no dead delivery loses its last letter, and the next run leaves one of each and no untrue ones', async () => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ fallen, records, diesAfter }) => {
        const desk = aDesk();
        for (const [index, one] of records.entries()) {
          const eventId = eventIds[index] ?? '';
          const { make, round = 1, attemptCount = 1 } = one ?? {};
          await desk.ledger.record((make ?? aDead)({ eventId, round, attemptCount }));
          if (one === null) await desk.ledger.removeByHand(aDead().endpointId, eventId);
        }
        for (const { isMarked, ...message } of fallen)
          desk.fall({ ...message, ...(isMarked ? { dead } : {}) });
        type Asked = (delivery: Delivery | undefined, round: number, isMarked: boolean) => boolean;
        const roundsOf = async (isTrue: Asked) => {
          const names = new Set<string>();
          for (const { eventId, round, dead: mark } of desk.visible()) {
            const delivery = await desk.ledger.deliveries.get(aDead().endpointId, eventId);
            if (isTrue(delivery, round, mark !== undefined))
              names.add(`${eventId} ${round} ${mark === undefined ? '' : 'marked'}`);
          }
          return names;
        };
        const isDead = (delivery: Delivery | undefined, round: number) =>
          delivery?.status === 'dead' && delivery.round === round;
        const redrivable = async () =>
          [...(await roundsOf(isDead))].filter((name) => name.endsWith('marked'));
        const before = await redrivable();

        const { log } = memoryLog();
        const readDelivery = desk.ledger.deliveries.get;
        const queue = killedAfter(desk.letters, diesAfter);
        await tidy({ queue, readDelivery, remainingMs: () => 600_000, log }).catch(() => undefined);
        desk.clock.pass(holdMs);
        expect(await redrivable()).toEqual(expect.arrayContaining(before));

        await desk.run();
        expect(new Set(await redrivable())).toEqual(new Set(before));
        const left = desk.visible().map(({ eventId, round }) => `${eventId} ${round}`);
        expect(new Set(left).size).toBe(left.length);
        const isUntrue: Asked = (delivery, round, isMarked) =>
          delivery !== undefined &&
          (delivery.round > round + (isMarked && ['retrying', 'dead'].includes(delivery.status) ? 1 : 0) ||
            (delivery.round === round && ['delivered', 'discarded'].includes(delivery.status)));
        expect([...(await roundsOf(isUntrue))]).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
