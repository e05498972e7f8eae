import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Delivery } from '../../lambdas/delivery/delivery.ts';
import { deliveryKey } from '../../lambdas/delivery/key.ts';
import { makeRecord } from '../../lambdas/delivery/record/store.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { behind, dueAt } from '../../lambdas/shared/waiting.ts';
import { aDead, aDelivered, aDelivery, aDiscarded, anAttempt } from '../fakes/a-delivery.ts';
import { aClock, testStartMs } from '../fakes/clock.ts';
import type { TestClock } from '../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../fakes/ids.ts';
import { memoryLedger } from '../fakes/ledger.ts';
import type { MemoryLedger } from '../fakes/ledger.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import { kinds } from './tables.ts';
import type { Tables } from './tables.ts';

/** Counted up for each test, so that tests share a table and no item. */
let tests = 0;

const ended: [string, Delivery][] = [
  ['delivered', aDelivered()],
  ['dead', aDead()],
  ['discarded', aDiscarded({ attemptCount: 1 })],
];

describe.each(kinds)('a record in %s', (kind, start) => {
  let tables: Tables;
  beforeAll(async () => {
    tables = await start();
  });
  afterAll(() => tables.close());

  let clock: TestClock;
  let ledger: MemoryLedger;
  let ids: { organizationId: string; endpointId: string; eventId: string };
  beforeEach(() => {
    clock = aClock();
    ledger = memoryLedger(clock.now, tables);
    const name = `${kind}-${(tests += 1)}`;
    ids = { organizationId: `org_${name}`, endpointId: endpointIdOf(name), eventId: eventIdOf(name) };
  });
  const found = () => ledger.deliveries.get(ids.endpointId, ids.eventId);
  const later = (ms: number) => isoTime(testStartMs + ms);
  const parkedOf = (given: Partial<Delivery> = {}): Delivery => {
    const { nextAttemptAt, ...delivery } = aDelivery({ ...ids, ...given });
    return { ...delivery, ...behind(ids.endpointId, ids.eventId, testStartMs) };
  };
  /** Another who has seen the same as whoever wrote first, a moment later. */
  const copyOf = (delivery: Delivery, ms = 1): Delivery => ({ ...delivery, updatedAt: later(ms) });

  /** Expects a write to be refused, and to leave what is there. */
  const expectSuperseded = async (write: MemoryLedger['record'], after: Delivery): Promise<void> => {
    const before = await found();
    expect(await write(after)).toBe('superseded');
    expect(await found()).toEqual(before);
  };

  describe('of an attempt', () => {
    test('is given back as it was written', async () => {
      const attempts = [anAttempt({ trigger: 'manual', responseBody: 'no' })];
      const delivery = aDelivery({ ...ids, attempts, owes: 'message', trigger: 'manual' });
      expect(await ledger.record(delivery)).toBe('recorded');
      expect(await found()).toEqual(delivery);
    });

    test('follows the one before in its round, and forgets all that no longer holds', async () => {
      const place = dueAt(testStartMs, ids.endpointId, ids.eventId);
      await ledger.record(
        aDelivery({ ...ids, ...place, trigger: 'manual', owes: 'message', reason: 'gone' }),
      );
      const after = aDelivered({ ...ids, attemptCount: 2 });
      expect(await ledger.record(after)).toBe('recorded');
      expect(await found()).toEqual(after);
    });

    test('is made once, whatever a second copy of the message has met', async () => {
      const first = aDelivery(ids);
      await ledger.record(first);
      await expectSuperseded(ledger.record, aDelivered({ ...ids, updatedAt: later(1) }));
      await expectSuperseded(ledger.record, { ...copyOf(first), lastError: 'timeout' });
      await expectSuperseded(ledger.record, copyOf(first));
    });

    test('of many copies at the same time is made by one', async () => {
      const copies = Array.from({ length: 8 }, (_, index) => copyOf(aDelivery(ids), index));
      const outcomes = await Promise.all(copies.map((copy) => ledger.record(copy)));
      expect(outcomes.filter((outcome) => outcome === 'recorded')).toHaveLength(1);
    });

    // The SDK repeats a write whose answer was lost; taken for superseded, its next message would never be sent.
    test.each<[string, Delivery]>([
      ['retrying', aDelivery({ owes: 'message' })],
      ...ended,
      ['dead, with its letter', aDead({ owes: 'letter' })],
    ])('is no other one when the very same is written again, being %s', async (_, delivery) => {
      const written = { ...delivery, ...ids };
      expect(await ledger.record(written)).toBe('recorded');
      expect(await ledger.record(written)).toBe('recorded');
      expect(await found()).toEqual(written);
    });

    test('is not made over a later one', async () => {
      await ledger.record(aDelivery({ ...ids, attemptCount: 3 }));
      await expectSuperseded(ledger.record, aDelivered({ ...ids, attemptCount: 2 }));
    });

    test.each(ended)('is not made in a round that ended %s', async (_, end) => {
      await ledger.record({ ...end, ...ids });
      await expectSuperseded(ledger.record, aDelivery({ ...ids, attemptCount: 5 }));
    });

    test.each([...ended, ['retrying', aDelivery()] as const])(
      'of a later round is made after one that was %s',
      async (_, before) => {
        await ledger.record({ ...before, ...ids });
        const after = aDelivery({ ...ids, round: 2, roundStart: 1, attemptCount: 2 });
        expect(await ledger.record(after)).toBe('recorded');
        expect(await found()).toEqual(after);
      },
    );

    test('of an earlier round is not made once a later one has begun, whatever its number', async () => {
      await ledger.record(aDelivery({ ...ids, round: 2, roundStart: 1, attemptCount: 2 }));
      await expectSuperseded(ledger.record, aDelivered({ ...ids, attemptCount: 9 }));
    });

    test('takes no number twice: the round before may have taken it meanwhile', async () => {
      await ledger.record(aDelivery({ ...ids, attemptCount: 3 }));
      const opening = { ...ids, round: 2, roundStart: 2 };
      await expectSuperseded(ledger.record, aDelivered({ ...opening, attemptCount: 3 }));
      const renumbered = aDelivered({ ...opening, roundStart: 3, attemptCount: 4 });
      expect(await ledger.record(renumbered)).toBe('recorded');
      expect(await found()).toEqual(renumbered);
    });

    test('of a delivery that waits takes it from its place', async () => {
      await ledger.rewrite(parkedOf({ attemptCount: 0, attempts: [] }));
      const after = aDelivered(ids);
      expect(await ledger.record(after)).toBe('recorded');
      expect(await found()).toEqual(after);
    });
  });

  describe('without an attempt', () => {
    test('is made of a delivery of which there is nothing', async () => {
      const after = parkedOf({ attemptCount: 0, attempts: [] });
      expect(await ledger.rewrite(after)).toBe('recorded');
      expect(await found()).toEqual(after);
    });

    test.each<[string, (given: object) => Delivery]>([
      ['waits', (given) => parkedOf({ ...ids, ...given })],
      ['is discarded', (given) => aDiscarded({ ...ids, ...given })],
    ])('says that a delivery which is being tried %s', async (_, make) => {
      await ledger.record(aDelivery(ids));
      const after = make({ attemptCount: 1 });
      expect(await ledger.rewrite(after)).toBe('recorded');
      expect(await found()).toEqual(after);
    });

    test('says that a later round is discarded', async () => {
      await ledger.record({ ...aDead(), ...ids, attemptCount: 3 });
      const after = aDiscarded({ ...ids, round: 2, roundStart: 3, attemptCount: 3 });
      expect(await ledger.rewrite(after)).toBe('recorded');
      expect(await found()).toEqual(after);
    });

    // Row 12 of what was found: a late discard took attempts back that somebody had made meanwhile.
    test('never takes back what has been attempted meanwhile', async () => {
      await ledger.record(aDelivery({ ...ids, attemptCount: 2 }));
      await expectSuperseded(ledger.rewrite, aDiscarded({ ...ids, attemptCount: 1 }));
      await expectSuperseded(ledger.rewrite, parkedOf({ attemptCount: 1 }));
      const opening = { ...ids, round: 2, roundStart: 1, attemptCount: 1 };
      await expectSuperseded(ledger.rewrite, aDiscarded(opening));
    });

    test.each(ended)('says nothing more of a round that ended %s', async (_, end) => {
      await ledger.record({ ...end, ...ids });
      await expectSuperseded(ledger.rewrite, parkedOf({ attemptCount: 5 }));
      await expectSuperseded(ledger.rewrite, aDiscarded({ ...ids, attemptCount: 5, updatedAt: later(1) }));
    });

    test('says nothing of an earlier round', async () => {
      await ledger.record(aDelivery({ ...ids, round: 2, roundStart: 1, attemptCount: 2 }));
      await expectSuperseded(ledger.rewrite, aDiscarded({ ...ids, attemptCount: 2 }));
    });

    test('is no other one when the very same is written again', async () => {
      for (const after of [parkedOf(), aDiscarded({ ...ids, attemptCount: 1 })]) {
        expect(await ledger.rewrite(after)).toBe('recorded');
        expect(await ledger.rewrite(after)).toBe('recorded');
        expect(await found()).toEqual(after);
      }
    });
  });

  // DynamoDB deletes it a day late or two; until then an event that is published again would be swallowed.
  test.each(['record', 'rewrite'] as const)(
    'past its time is gone: %s writes over it as if there were none',
    async (name) => {
      const expiresAt = testStartMs / 1000 + 60;
      await ledger.record(aDead({ ...ids, round: 4, attemptCount: 9, expiresAt }));
      const after = aDelivery({ ...ids, expiresAt: expiresAt + 86_400 });
      clock.pass(59_999);
      await expectSuperseded(ledger[name], after);
      clock.pass(1);
      expect(await found()).toBeUndefined();
      expect(await ledger[name](after)).toBe('recorded');
      expect(await found()).toEqual(after);
    },
  );

  describe('that owes something', () => {
    const owing = () => aDelivery({ ...ids, owes: 'message' });
    const owes = async () => (await found())?.owes;

    test('owes nothing more once it is struck off, and is the same else', async () => {
      await ledger.record(owing());
      await ledger.strikeOff(owing());
      const rest = { ...owing(), owes: 'nothing' };
      expect(await found()).toEqual(rest);
    });

    test('is struck off by nobody who has seen an earlier attempt, or a later one', async () => {
      await ledger.record({ ...owing(), attemptCount: 2 });
      await ledger.strikeOff(owing());
      await ledger.strikeOff({ ...owing(), attemptCount: 3 });
      expect(await owes()).toBe('message');
    });

    test('is struck off by nobody who has seen an earlier round, or a later one', async () => {
      await ledger.record({ ...owing(), round: 2 });
      await ledger.strikeOff(owing());
      await ledger.strikeOff({ ...owing(), round: 3 });
      expect(await owes()).toBe('message');
    });

    test('is not made by being struck off', async () => {
      await ledger.strikeOff(owing());
      const Key = deliveryKey(ids.endpointId, ids.eventId);
      const { Item } = await tables.client.send(new GetCommand({ TableName: tables.ledger, Key }));
      expect(Item).toBeUndefined();
    });
  });
});

test('whose answer was lost is looked for by a read that is not behind', async () => {
  const clock = aClock();
  const { client, ledger } = memoryTables({ now: clock.now, readLagMs: () => 1_000 });
  const record = makeRecord(client, ledger, clock.now);
  expect(await record(aDelivery())).toBe('recorded');
  expect(await record(aDelivery())).toBe('recorded');
});
