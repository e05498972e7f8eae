import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient, UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { endpoint } from '../endpoint/endpoint.ts';
import { endpointKey } from '../endpoint/store.ts';
import { eventKey, readEvent } from '../event/store.ts';
import { organization } from '../organization/organization.ts';
import { organizationKey } from '../organization/store.ts';
import type { Key, Read } from '../shared/store.ts';
import type { Now } from '../shared/time.ts';
import { delivery } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import type { DeliveryMessage } from './message.ts';
import type { Known, Recipient } from './decide.ts';

/** Key of a delivery in the ledger: it is the pair of endpoint and event. */
export function deliveryKey(endpointId: string, eventId: string): Key {
  return { pk: `ENDPOINT#${endpointId}`, sk: `DELIVERY#${eventId}` };
}

/** Reads an item of the ledger as a delivery; one past its time is gone. */
export function readDelivery(item: unknown, nowMs: number): Delivery | undefined {
  if (item === undefined) return undefined;
  const found = delivery.parse(item);
  return found.expiresAt * 1000 > nowMs ? found : undefined;
}

/** What the ledger knows of a message's delivery and event; both reads travel in one BatchGetItem. */
export function makeReadKnown(read: Read, now: Now) {
  return async function readKnown(message: DeliveryMessage): Promise<Known> {
    const [deliveryItem, eventItem] = await Promise.all([
      read(deliveryKey(message.endpointId, message.eventId)),
      read(eventKey(message.organizationId, message.eventId)),
    ]);
    return { delivery: readDelivery(deliveryItem, now()), event: readEvent(eventItem, now()) };
  };
}

/** Whom a delivery is for, from the configuration. */
export function makeReadRecipient(client: DynamoDBDocumentClient, config: string) {
  const get = async (Key: Key): Promise<unknown> =>
    (await client.send(new GetCommand({ TableName: config, Key, ConsistentRead: true }))).Item;
  return async function readRecipient(organizationId: string, endpointId: string): Promise<Recipient> {
    const [organizationItem, endpointItem] = await Promise.all([
      get(organizationKey(organizationId)),
      get(endpointKey(organizationId, endpointId)),
    ]);
    return {
      organization: organization.optional().parse(organizationItem),
      endpoint: endpoint.optional().parse(endpointItem),
    };
  };
}

/**
 * Writes what became of a delivery, unless somebody has been faster: a copy of the message may have recorded this
 * attempt, or a later round may have begun. It is the one write of a delivery that succeeds at once.
 */
export function makeRecord(client: DynamoDBDocumentClient, ledger: string) {
  return async function record(after: Delivery): Promise<'recorded' | 'superseded'> {
    try {
      await client.send(new UpdateCommand(updateOf(ledger, after)));
      return 'recorded';
    } catch (fault) {
      if (fault instanceof ConditionalCheckFailedException) return 'superseded';
      throw fault;
    }
  };
}

function updateOf(TableName: string, after: Delivery): UpdateCommandInput {
  const isOpen = after.status !== 'delivered';
  const all = {
    ...after,
    // Sparse: a delivered item leaves the index.
    statusKey: isOpen ? statusKey(after.organizationId, after.status) : undefined,
    reason: after.reason,
    lastError: after.lastError,
    nextAttemptAt: after.nextAttemptAt,
  };
  const fields = Object.entries(all);
  const set = fields.filter(([, value]) => value !== undefined);
  const gone = fields.filter(([, value]) => value === undefined);
  const sets = set.map(([name]) => `#${name} = :${name}`).join(', ');
  const removes = gone.map(([name]) => `#${name}`).join(', ');
  return {
    TableName,
    Key: deliveryKey(after.endpointId, after.eventId),
    UpdateExpression: `SET ${sets}${removes === '' ? '' : ` REMOVE ${removes}`}`,
    ConditionExpression:
      'attribute_not_exists(pk) OR #round < :round OR ' +
      '(#round = :round AND #status = :retrying AND (#attemptCount < :attemptCount OR :status = :discarded))',
    ExpressionAttributeNames: Object.fromEntries(fields.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: {
      ...Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
      ':retrying': 'retrying',
      ':discarded': 'discarded',
    },
  };
}

/** Partition of the index over deliveries that are not delivered. */
export function statusKey(organizationId: string, status: string): string {
  return `ORG#${organizationId}#${status}`;
}
