import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { deliverySummary } from '../delivery/delivery.ts';
import { endedPositionOf, endedQueries } from '../delivery/ended-list.ts';
import { deliveryKey } from '../delivery/key.ts';
import { eventIdsBetween } from '../event/event-id.ts';
import { makeEventStore } from '../event/store.ts';
import { eventId, jobId } from '../shared/identifier.ts';
import { cursorAt, positionOf } from '../shared/page.ts';
import type { Page, PageQuery } from '../shared/page.ts';
import { isWritten, queryAll, queryMerged, queryPage } from '../shared/store.ts';
import type { Key } from '../shared/store.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { candidatesOf } from './candidates.ts';
import type { CandidatePage } from './candidates.ts';
import { job } from './job.ts';
import type { Job } from './job.ts';

/** Key of a job in the ledger. */
function jobKey(organizationId: string, id: string): Key {
  return { pk: `ORG#${organizationId}`, sk: `JOB#${id}` };
}

const isAlive = ({ expiresAt }: { expiresAt: number }, now: Now) => expiresAt * 1000 > now();

/** Jobs in the ledger. */
export function makeJobStore(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  const get = async (organizationId: string, id: string): Promise<Job | undefined> => {
    const Key = jobKey(organizationId, id);
    const answer = await client.send(new GetCommand({ TableName: ledger, Key, ConsistentRead: true }));
    const found = job.optional().parse(answer.Item);
    return found !== undefined && isAlive(found, now) ? found : undefined;
  };
  const putOf = (after: Job) => ({
    TableName: ledger,
    Item: { ...jobKey(after.organizationId, after.id), ...after },
  });
  return {
    get,

    add: async (added: Job): Promise<void> => {
      await client.send(new PutCommand(putOf(added)));
    },

    /**
     * Writes a job over the version that was read; false when somebody has been faster. The SDK may write twice
     * because its first answer was lost: the very same version is no other one.
     */
    advance: async (before: Job, after: Job): Promise<boolean> => {
      const write = new PutCommand({
        ...putOf(after),
        ConditionExpression: '#version = :read',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':read': before.version },
      });
      if (await isWritten(client, write)) return true;
      return isDeepStrictEqual(await get(after.organizationId, after.id), job.parse(after));
    },

    cancel: cancelOf(client, ledger, now),
    list: listOf(client, ledger, now),
  };
}

/** Ends a job that is running, and leaves any other as it is. */
function cancelOf(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return async function cancel(organizationId: string, id: string): Promise<void> {
    const write = new UpdateCommand({
      TableName: ledger,
      Key: jobKey(organizationId, id),
      UpdateExpression: 'SET #status = :cancelled, updatedAt = :at, finishedAt = :at ADD #version :one',
      ConditionExpression: '#status = :running',
      ExpressionAttributeNames: { '#status': 'status', '#version': 'version' },
      ExpressionAttributeValues: {
        ':cancelled': 'cancelled',
        ':running': 'running',
        ':at': isoTime(now()),
        ':one': 1,
      },
    });
    await isWritten(client, write);
  };
}

/** Jobs of an organization, newest first. */
function listOf(client: DynamoDBDocumentClient, ledger: string, now: Now) {
  return async function list(organizationId: string, { limit, cursor }: PageQuery): Promise<Page<Job>> {
    const before = cursor === undefined ? undefined : positionOf(cursor, z.tuple([jobId]))[0];
    const { items, isLast } = await queryPage(client, {
      TableName: ledger,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': jobKey(organizationId, '').pk, ':prefix': 'JOB#' },
      ScanIndexForward: false,
      Limit: limit,
      ...(before === undefined ? {} : { ExclusiveStartKey: jobKey(organizationId, before) }),
    });
    const jobs = items.map((item) => job.parse(item));
    const last = jobs.at(-1);
    return {
      data: jobs.filter((one) => isAlive(one, now)),
      nextCursor: isLast || last === undefined ? null : cursorAt([last.id]),
    };
  };
}

/** Items of a page: few enough to be sent within two seconds, all of them. */
const pageItemsMax = 100;

interface Paging {
  readonly now: Now;
  /** Items of a page; fewer only in tests. */
  readonly pageItems?: number;
}

/** Reads the next page of what a job looks at, the oldest event first. */
export function makeReadCandidates(
  client: DynamoDBDocumentClient,
  ledger: string,
  { now, pageItems = pageItemsMax }: Paging,
) {
  const readEvents = eventsOf(client, ledger, { now, pageItems });
  const readDead = deadOf(client, ledger, { now, pageItems });
  return async function readCandidates(of: Job): Promise<CandidatePage> {
    return of.endpointId === undefined ? readDead(of) : readEvents(of, of.endpointId);
  };
}

/**
 * Events of the span beside the endpoint's deliveries of the very same stretch: one Query, as deliveries sort by
 * event, which is paid by the KB, where a BatchGetItem is paid by the item.
 */
function eventsOf(client: DynamoDBDocumentClient, TableName: string, { now, pageItems }: Required<Paging>) {
  const { between } = makeEventStore(client, TableName, now);
  return async function readEvents(of: Job, endpointId: string): Promise<CandidatePage> {
    const from = of.cursor === undefined ? {} : { cursor: cursorAt([of.cursor.eventId]) };
    const page = await between(of.organizationId, of, { limit: pageItems, ...from });
    const [first, last] = [page.data.at(0), page.data.at(-1)];
    const [end] = page.nextCursor === null ? [last?.id] : positionOf(page.nextCursor, z.tuple([eventId]));
    const items =
      first === undefined || last === undefined
        ? []
        : await queryAll(client, {
            TableName,
            KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
            ExpressionAttributeValues: {
              ':pk': deliveryKey(endpointId, '').pk,
              ':first': deliveryKey(endpointId, first.id).sk,
              ':last': deliveryKey(endpointId, last.id).sk,
            },
            ConsistentRead: true,
          });
    const deliveries = items.map((item) => deliverySummary.parse(item));
    return {
      candidates: candidatesOf(endpointId, page.data, deliveries),
      examined: page.data.length,
      cursor: end === undefined ? undefined : { eventId: end, endpointId },
      isLast: page.nextCursor === null,
    };
  };
}

/** Dead deliveries of the span, of all endpoints of the organization, from the sparse index. */
function deadOf(client: DynamoDBDocumentClient, TableName: string, { now, pageItems }: Required<Paging>) {
  return async function readDead(of: Job): Promise<CandidatePage> {
    const [from, to] = eventIdsBetween(Date.parse(of.since), Date.parse(of.until));
    const { items, isLast } = await queryMerged(
      client,
      endedQueries(TableName, {
        ...{ organizationId: of.organizationId, status: 'dead', from, to, limit: pageItems },
        position: of.cursor,
        isNewestFirst: false,
      }),
      ({ eventId: order }) => String(order),
    );
    const dead = items.map((item) => deliverySummary.parse(item));
    const last = items.at(-1);
    const alive = dead.filter((delivery) => isAlive(delivery, now));
    return {
      candidates: alive.map((delivery) => ({ ids: delivery, delivery })),
      examined: alive.length,
      cursor: last && endedPositionOf(last),
      isLast,
    };
  };
}
