import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { statusList } from '../../lambdas/delivery/ended-list.ts';
import { deliveryKey } from '../../lambdas/delivery/key.ts';
import { endpointKey } from '../../lambdas/endpoint/store.ts';
import { eventKey } from '../../lambdas/event/store.ts';
import { spreadKey } from '../../lambdas/shared/spread.ts';
import { aDead, aDelivered } from '../fakes/a-delivery.ts';
import { anEndpoint } from '../fakes/an-endpoint.ts';
import { anEvent } from '../fakes/an-event.ts';
import { testStartMs } from '../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../fakes/ids.ts';

export const organizationId = 'org_1';
/** The endpoint to which all deliveries go. */
export const endpointId = endpointIdOf('one');
/** Of so many events one is refused, and of so many deliveries one is dead. */
export const rare = 100;

export interface Size {
  readonly endpointCount: number;
  readonly deliveryCount: number;
}

type Item = Readonly<Record<string, unknown>>;

interface Write {
  readonly table: 'config' | 'ledger';
  readonly item: Item;
}

/** The id of the event of a number: they are a second apart, the last one of today. */
export function idOf(number: number, { deliveryCount }: Size): string {
  return eventIdOf(String(number), timeOf(number, deliveryCount));
}

function timeOf(number: number, deliveryCount: number): number {
  return testStartMs - (deliveryCount - number) * 1_000;
}

/** Fills both tables as the product would have, by the shortest way. */
export async function fill(client: DynamoDBDocumentClient, size: Size): Promise<void> {
  let batch: Write[] = [];
  let writing: Promise<void>[] = [];
  for (const one of itemsOf(size)) {
    batch.push(one);
    if (batch.length < 25) continue;
    writing.push(writeBatch(client, batch));
    batch = [];
    if (writing.length < 8) continue;
    await Promise.all(writing);
    writing = [];
  }
  if (batch.length > 0) writing.push(writeBatch(client, batch));
  await Promise.all(writing);
}

async function writeBatch(client: DynamoDBDocumentClient, batch: readonly Write[]): Promise<void> {
  const tables = Map.groupBy(batch, ({ table }) => table);
  const RequestItems = Object.fromEntries(
    [...tables].map(([table, all]) => [table, all.map(({ item: Item }) => ({ PutRequest: { Item } }))]),
  );
  await client.send(new BatchWriteCommand({ RequestItems }));
}

function* itemsOf(size: Size): Generator<Write> {
  for (let number = 0; number < size.endpointCount; number += 1) {
    const endpoint = anEndpoint({ name: `endpoint-${String(number)}`, eventTypes: ['pipeline.*'] });
    yield { table: 'config', item: { ...endpointKey(organizationId, endpoint.id), ...endpoint } };
  }
  for (let number = 0; number < size.deliveryCount; number += 1) {
    const isRare = number % rare === 0;
    const id = idOf(number, size);
    const timeMs = timeOf(number, size.deliveryCount);
    const event = anEvent({ id, timeMs, status: isRare ? 'refused' : 'accepted' });
    const refused = isRare ? { statusKey: statusList(organizationId, 'refused'), eventId: id } : {};
    yield { table: 'ledger', item: { ...eventKey(organizationId, id), ...event, ...refused } };
    const { expiresAt } = event;
    const delivery = (isRare ? aDead : aDelivered)({ endpointId, eventId: id, expiresAt });
    const dead = isRare ? { statusKey: spreadKey(statusList(organizationId, 'dead'), id) } : {};
    yield { table: 'ledger', item: { ...deliveryKey(endpointId, id), ...delivery, ...dead } };
  }
}
