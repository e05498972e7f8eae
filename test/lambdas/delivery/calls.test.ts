import type { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { deliverEnv } from '../../../lambdas/delivery/env.ts';
import { outgoing } from '../../../lambdas/delivery/message.ts';
import { receiveBatch } from '../../../lambdas/delivery/receive.ts';
import { wireDeliver } from '../../../lambdas/delivery/wire.ts';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { makeSayChanged } from '../../../lambdas/shared/versions/store.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aClock } from '../../fakes/clock.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { memoryLedger } from '../../fakes/ledger.ts';
import { memoryLog } from '../../fakes/log.ts';
import { memoryQueue } from '../../fakes/queue.ts';
import { scriptedReceiver } from '../../fakes/receiver.ts';
import { secretOf } from '../../fakes/secrets.ts';
import { memoryTables } from '../../fakes/table/memory-tables.ts';
import type { ObservedRequest } from '../../fakes/table/units.ts';

const url = 'https://sqs.us-east-1.amazonaws.com/1/q';
const env = deliverEnv.parse({
  ...{ CONFIG_TABLE: 'config', LEDGER_TABLE: 'ledger', BUS_NAME: 'bus', SECRET_PREFIX: 'tidings' },
  ...{ DELIVERIES_QUEUE_URL: url, RETRIES_QUEUE_URL: url, FALLING_QUEUE_URL: url, RECOVERY_QUEUE_URL: url },
  ...{ ISSUER: 'https://api.example.com', RETENTION_DAYS: '30' },
  ...{ RECEIVER_PORTS: '443', OWN_HOSTS: 'api.example.com', NAT64: 'false' },
});

/** A warm function of deliver, wired as its handler is, and what it asks of DynamoDB. */
async function aWarmFunction(policy: Endpoint['policy'] = {}, onWrite: () => void = () => undefined) {
  const clock = aClock();
  const asked: ObservedRequest[] = [];
  const observe = (request: ObservedRequest) => {
    asked.push(request);
    if (request.operation === 'UpdateItem' && request.table === 'ledger') onWrite();
  };
  const tables = memoryTables({ now: clock.now, observe });
  const configuration = memoryConfiguration(tables);
  const ledger = memoryLedger(clock.now, tables);
  configuration.setOrganization(anOrganization());
  configuration.set(anEndpoint({ policy }));
  const receiver = scriptedReceiver(clock);
  receiver.always(200);
  const { log } = memoryLog();
  let ids = 0;
  const sent: unknown[] = [];
  const ports = wireDeliver(env, {
    client: tables.client,
    sqs: {
      send: (command: unknown) => {
        sent.push(command);
        return Promise.resolve({ Successful: [{ Id: '0' }] });
      },
    } as unknown as SQSClient,
    announce: () => Promise.reject(new Error('nothing should be said')),
    post: receiver.post,
    readSecret: (_of, versionId) => Promise.resolve(secretOf(versionId)),
    signDigest: () => Promise.reject(new Error('nothing should be signed by a key')),
    random: () => 0.5,
    newId: () => `id-${(ids += 1)}`,
    ...{ now: clock.now, log, caches: { now: clock.now } },
  });
  let events = 0;
  const deliver = async (count: number, sentMax = 0): Promise<string[]> => {
    const queue = memoryQueue({ now: clock.now });
    for (let left = count; left > 0; left -= 1) {
      const event = anEvent({ name: `event ${(events += 1)}` });
      await ledger.events.add(event);
      await queue.send(outgoing(aMessage({ eventId: event.id }), 0));
    }
    const records: SQSRecord[] = queue.receive(count);
    asked.length = 0;
    const { batchItemFailures } = await receiveBatch(ports, records, () => 60_000);
    expect(batchItemFailures).toEqual([]);
    expect(sent).toHaveLength(sentMax);
    return asked.map(({ operation, table, items }) => `${operation} ${table} ${items}`);
  };
  await deliver(1);
  clock.pass(1_000);
  return { deliver, clock, receiver, sayChanged: makeSayChanged(tables.client, tables.config) };
}

const writes = (count: number) => Array<string>(count).fill('UpdateItem ledger 1');

describe('what a warm function asks of DynamoDB', () => {
  test('for ten deliveries of one organization: one read, in which the version costs a key, and ten writes', async () => {
    const { deliver } = await aWarmFunction();
    expect(await deliver(10)).toEqual(['BatchGetItem ledger 10', 'BatchGetItem config 0', ...writes(10)]);
  });

  test('within half a second of the last look at the version, not even the key', async () => {
    const { deliver, clock } = await aWarmFunction();
    await deliver(1);
    clock.pass(100);
    expect(await deliver(1)).toEqual(['BatchGetItem ledger 1', ...writes(1)]);
  });

  test('after a change, the recipient once more', async () => {
    const { deliver, sayChanged } = await aWarmFunction();
    await sayChanged('org_1');
    expect(await deliver(10)).toEqual([
      'BatchGetItem ledger 10',
      'BatchGetItem config 1',
      'BatchGetItem config 2',
      ...writes(10),
    ]);
  });
});

describe('what is changed while a delivery waits for its leave', () => {
  test.each([
    ['is heeded: the message comes again, and nothing is sent by what was', true, 0],
    ['and is nothing does not keep it', false, 1],
  ])('%s', async (_what, isChanged, posted) => {
    let onLeave = (): void => undefined;
    const { deliver, clock, receiver, sayChanged } = await aWarmFunction({ rateLimitPerSecond: 10 }, () => {
      onLeave();
    });
    const before = receiver.requests.length;
    onLeave = () => {
      onLeave = () => undefined;
      // It is done by the time that this returns.
      if (isChanged) void sayChanged('org_1');
      clock.pass(1_001);
    };
    await deliver(1, isChanged ? 1 : 0);
    expect(receiver.requests.length - before).toBe(posted);
  });
});
