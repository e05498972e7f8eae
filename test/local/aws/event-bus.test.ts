import { describe, expect, test } from 'vitest';

import { type BusFaults, EventBuses } from '../../../local/aws/event-bus.ts';
import type { Queue } from '../../../local/aws/sqs-queue.ts';
import { Sqs } from '../../../local/aws/sqs.ts';
import { aTestSetting, definitionOf, only } from './a-queue.ts';

const good = { Source: 'acme', DetailType: 'run.failed', EventBusName: 'tidings' };
const goodDetail = JSON.stringify({ organizationId: 'org_1' });

async function aBus({ deadLetters = true, faults }: { deadLetters?: boolean; faults?: BusFaults } = {}) {
  const setting = aTestSetting();
  const sqs = new Sqs(setting);
  const events = await sqs.createQueue(definitionOf({ name: 'events' }));
  const dead = await sqs.createQueue(definitionOf({ name: 'bus-dead' }));
  const buses = new EventBuses(setting, sqs, { faults });
  const arn = buses.createBus({ name: 'tidings' });
  const target = {
    id: 'events',
    queueArn: events.arn,
    messageGroupIdPath: '$.detail.organizationId',
    deadLetterQueueArn: deadLetters ? dead.arn : undefined,
  };
  const eventPattern = {
    source: [{ 'anything-but': 'tidings' }],
    detail: { organizationId: [{ exists: true }] },
  };
  const rule = { busName: 'tidings', name: 'events', eventPattern, targets: [target] };
  buses.createRule(rule);
  return { setting, sqs, events, dead, buses, arn, rule, target };
}

async function receivedBodies(queue: Queue): Promise<unknown[]> {
  const received = await queue.receive({ max: 10 });
  return received.map(({ message }) => JSON.parse(message.body) as unknown);
}

describe('PutEvents', () => {
  test('brings a matching event to the queue, in the standard envelope and under its group id', async () => {
    const { buses, events } = await aBus();
    const answer = await buses.putEvents([
      { ...good, Detail: goodDetail, Resources: ['arn:x'], Time: 1_767_225_600.5 },
    ]);
    const { message } = only(await events.receive());
    expect(message.groupId).toBe('org_1');
    expect(answer).toEqual({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) as string }] });
    expect(JSON.parse(message.body)).toEqual({
      version: '0',
      ...(answer.Entries[0] && { id: Object.values(answer.Entries[0])[0] as unknown }),
      'detail-type': 'run.failed',
      source: 'acme',
      account: '000000000000',
      time: '2026-01-01T00:00:00Z',
      region: 'us-east-1',
      resources: ['arn:x'],
      detail: { organizationId: 'org_1' },
    });
  });

  test.each(['9223372036854775807', '1e400', '1.0', '-0', '{"z":1,"10":3,"2":4}', '{"a":1,"a":2}', '[ 1 ]'])(
    'brings a detail as its producer wrote it: %s',
    async (written) => {
      const { buses, events } = await aBus();
      const detail = `{"organizationId":"org_1", "data":${written}}`;
      await buses.putEvents([{ ...good, Detail: detail }]);
      const { message } = only(await events.receive());
      expect(message.body.endsWith(`,"detail":${detail}}`)).toBe(true);
    },
  );

  test('answers only when the queue holds the event', async () => {
    const { buses, events } = await aBus();
    await buses.putEvents([{ ...good, Detail: goodDetail }]);
    expect(events.counts().visible).toBe(1);
  });

  test('takes the bus by its ARN as well', async () => {
    const { buses, events, arn } = await aBus();
    await buses.putEvents([{ ...good, EventBusName: arn, Detail: goodDetail }]);
    expect(events.counts().visible).toBe(1);
  });

  test('keeps from the queue what the rule does not match', async () => {
    const { buses, events } = await aBus();
    await buses.putEvents([
      { ...good, Source: 'tidings', Detail: goodDetail },
      { ...good, Detail: '{}' },
    ]);
    expect(events.counts().visible).toBe(0);
  });

  test.each([
    ['no source', { ...good, Source: undefined, Detail: goodDetail }, 'InvalidArgument'],
    ['no type', { ...good, DetailType: '', Detail: goodDetail }, 'InvalidArgument'],
    ['no detail', good, 'InvalidArgument'],
    ['a detail that is not JSON', { ...good, Detail: '{' }, 'MalformedDetail'],
    ['a detail that is no object', { ...good, Detail: '[]' }, 'MalformedDetail'],
    ['a source of AWS', { ...good, Source: 'aws.s3', Detail: goodDetail }, 'NotAuthorizedForSourceException'],
  ])('reports an entry with %s and takes the others', async (_name, bad, ErrorCode) => {
    const { buses, events } = await aBus();
    const answer = await buses.putEvents([bad, { ...good, Detail: goodDetail }]);
    expect(answer).toMatchObject({
      FailedEntryCount: 1,
      Entries: [{ ErrorCode }, { EventId: expect.any(String) as string }],
    });
    expect(events.counts().visible).toBe(1);
  });

  test('refuses eleven entries and none as a whole', async () => {
    const { buses, events } = await aBus();
    const entry = { ...good, Detail: goodDetail };
    await expect(buses.putEvents(Array.from({ length: 11 }, () => entry))).rejects.toThrow('1 to 10');
    await expect(buses.putEvents([])).rejects.toThrow('1 to 10');
    expect(events.counts().visible).toBe(0);
  });
});

describe('an event that cannot be put on the queue', () => {
  test.each([
    ['an over-long group id', { organizationId: 'o'.repeat(129) }],
    ['a group id with a space', { organizationId: 'a b' }],
    ['a group id that is no text', { organizationId: true }],
    ['a group id that is a list', { organizationId: ['org_1'] }],
  ])('because of %s goes to the dead-letter queue and says why', async (_name, detail) => {
    const { buses, events, dead, target } = await aBus();
    await buses.putEvents([{ ...good, Detail: JSON.stringify(detail) }]);
    expect(events.counts().visible).toBe(0);
    const { message } = only(await dead.receive());
    expect(JSON.parse(message.body)).toMatchObject({ detail });
    expect(message.attributes).toMatchObject({
      TARGET_ARN: { StringValue: target.queueArn },
      ERROR_CODE: { StringValue: 'INVALID_PARAMETER' },
    });
  });

  test('is reported, without its payload, when there is no dead-letter queue', async () => {
    const { buses, setting } = await aBus({ deadLetters: false });
    await buses.putEvents([{ ...good, Detail: JSON.stringify({ organizationId: 'a secret' }) }]);
    expect(only(setting.reported)).toMatch(/would drop event/);
    expect(only(setting.reported)).not.toContain('secret');
  });
});

describe('a rule', () => {
  test('with an unknown operator, queue or bus is refused', async () => {
    const { buses, rule, target } = await aBus();
    const other = { ...rule, name: 'other' };
    expect(() => buses.createRule({ ...other, eventPattern: { source: [{ cidr: '10.0.0.0/8' }] } })).toThrow(
      'cidr',
    );
    expect(() =>
      buses.createRule({ ...other, targets: [{ ...target, queueArn: `${target.queueArn}-no` }] }),
    ).toThrow();
    expect(() => buses.createRule({ ...other, busName: 'other' })).toThrow('does not exist');
  });

  test('that is disabled brings nothing', async () => {
    const { buses, dead, rule } = await aBus();
    buses.createRule({
      ...rule,
      name: 'off',
      isEnabled: false,
      targets: [{ id: 'dead', queueArn: dead.arn }],
    });
    await buses.putEvents([{ ...good, Detail: goodDetail }]);
    expect(dead.counts().visible).toBe(0);
  });

  test('with duplicates on brings an event twice under one id', async () => {
    const { buses, events } = await aBus({ faults: { duplicate: 1, random: () => 0 } });
    await buses.putEvents([{ ...good, Detail: goodDetail }]);
    const [first, second] = await receivedBodies(events);
    expect(first).toEqual(second);
  });
});
