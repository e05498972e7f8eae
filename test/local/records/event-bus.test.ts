import { expect } from 'vitest';
import { EventBuses } from '../../../local/aws/event-bus.ts';
import { eventMatcher } from '../../../local/aws/event-pattern.ts';
import { Sqs } from '../../../local/aws/sqs.ts';
import { aTestSetting, definitionOf, only } from '../aws/a-queue.ts';
import { recorded } from './recorded.ts';

const anId: unknown = expect.any(String);
const entry = { Source: 'acme', DetailType: 'run.failed', EventBusName: 'tidings' };
const Detail = JSON.stringify({ organizationId: 'org_1' });

async function aBus() {
  const setting = aTestSetting();
  const sqs = new Sqs(setting);
  const events = await sqs.createQueue(definitionOf({ name: 'events' }));
  const dead = await sqs.createQueue(definitionOf({ name: 'bus-dead' }));
  const buses = new EventBuses(setting, sqs);
  buses.createBus({ name: 'tidings' });
  const messageGroupIdPath = '$.detail.organizationId';
  const target = { id: 'events', queueArn: events.arn, messageGroupIdPath, deadLetterQueueArn: dead.arn };
  const eventPattern = { source: [{ prefix: '' }] };
  buses.createRule({ busName: 'tidings', name: 'events', eventPattern, targets: [target] });
  return { setting, events, dead, buses };
}

recorded('bus-unknown', async () => {
  const { buses, events, setting } = await aBus();
  const answer = await buses.putEvents([
    { ...entry, Detail },
    { ...entry, EventBusName: 'misspelt', Detail },
  ]);
  expect(answer).toEqual({ FailedEntryCount: 0, Entries: [{ EventId: anId }, { EventId: anId }] });
  expect(events.counts().visible).toBe(1);
  expect(only(setting.reported)).toContain('there is no bus misspelt');
});

recorded('bus-size', async () => {
  const { buses, events } = await aBus();
  const around = Buffer.byteLength(entry.Source + entry.DetailType + '{"a":""}');
  const ofBytes = (bytes: number) => ({ ...entry, Detail: `{"a":"${'a'.repeat(bytes - around)}"}` });
  await buses.putEvents([ofBytes(1_048_576)]);
  const message = 'Total size of the entries in the request is over the limit.';
  const refused = { code: 'ValidationException', message };
  await expect(buses.putEvents([ofBytes(1_048_577)])).rejects.toMatchObject(refused);
  await expect(buses.putEvents([ofBytes(600_000), ofBytes(600_000)])).rejects.toMatchObject(refused);
  // No group id: it could not be put on the queue.
  expect(events.counts().visible).toBe(0);
});

recorded('bus-required', async () => {
  const { buses } = await aBus();
  const answer = await buses.putEvents([{ ...entry, Source: '', Detail }, { ...entry, Detail }, entry]);
  const refused = (name: string) => ({
    ErrorCode: 'InvalidArgument',
    ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
  });
  expect(answer.Entries).toEqual([refused('Source'), { EventId: anId }, refused('Detail')]);
});

recorded('bus-leaves', () => {
  const isThere = eventMatcher({ a: [{ exists: true }] });
  const isAbsent = eventMatcher({ a: [{ exists: false }] });
  for (const a of [{}, [], { b: 1 }, [{ b: 1 }]])
    expect([isThere({ a }), isAbsent({ a })]).toEqual([false, true]);
  for (const a of [null, 1, ['x'], [[1]], [{ b: 1 }, 'x']])
    expect([isThere({ a }), isAbsent({ a })]).toEqual([true, false]);
});

recorded('bus-dotted', () => {
  expect(eventMatcher({ 'a.b': ['x'] })({ a: { b: 'x' } })).toBe(true);
  expect(eventMatcher({ a: { b: ['x'] } })({ 'a.b': 'x' })).toBe(true);
});

recorded('bus-group-path', async () => {
  const { buses, events, dead } = await aBus();
  await buses.putEvents([{ ...entry, Detail: '{"organizationId":null}' }]);
  expect([events.counts().visible, dead.counts().visible]).toEqual([0, 1]);
});

recorded('bus-detail-text', async () => {
  const { buses, events } = await aBus();
  const written = '{"organizationId":"org_1", "n": 9223372036854775807, "m":1.0, "m":2}';
  await buses.putEvents([{ ...entry, Detail: written }]);
  expect(only(await events.receive()).message.body).toContain(`"detail":${written}}`);
});
