import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Now } from '../../shared/time.ts';
import { row } from './row.ts';
import type { ReadWaiting, Row, Stretch } from './row.ts';

/** Rows of a page at most: some hundred kilobytes. */
const pageItemsMax = 1_000;
const pageItemsMin = 100;

/** Reads the sparse index over what waits. */
export function makeReadWaiting(client: DynamoDBDocumentClient, ledger: string, now: Now): ReadWaiting {
  return { list: listOf(client, ledger, now), count: countOf(client, ledger, now) };
}

function listOf(client: DynamoDBDocumentClient, ledger: string, now: Now): ReadWaiting['list'] {
  const isAlive = (one: Row) => one.eventId === undefined || one.expiresAt * 1000 > now();
  return async function list(stretch, countMax) {
    const rows: Row[] = [];
    let { after } = stretch;
    while (rows.length < countMax) {
      if (isEmpty({ ...stretch, after })) return { rows, through: after, isLast: true };
      // More than are asked for: what is past its time may lie in front of them, by the thousand.
      const Limit = Math.min(pageItemsMax, Math.max(pageItemsMin, countMax - rows.length));
      const input = { ...inputOf(ledger, { ...stretch, after }), Limit };
      const answer = await client.send(new QueryCommand(input));
      const page = (answer.Items ?? []).map((item) => row.parse(item));
      rows.push(...page.filter(isAlive));
      after = page.at(-1)?.waitingAt ?? after;
      if (rows.length > countMax) break;
      if (answer.LastEvaluatedKey === undefined) return { rows, through: after, isLast: true };
    }
    const wanted = rows.slice(0, countMax);
    return {
      rows: wanted,
      through: wanted.length < rows.length ? wanted.at(-1)?.waitingAt : after,
      isLast: false,
    };
  };
}

function countOf(client: DynamoDBDocumentClient, ledger: string, now: Now): ReadWaiting['count'] {
  return async function count(stretch, countMax) {
    if (isEmpty(stretch)) return 0;
    const { ExpressionAttributeValues, ...input } = inputOf(ledger, stretch);
    let found = 0;
    let from: Record<string, unknown> | undefined;
    do {
      const answer = await client.send(
        new QueryCommand({
          ...{ ...input, Select: 'COUNT', Limit: pageItemsMax, ExclusiveStartKey: from },
          FilterExpression: 'attribute_not_exists(expiresAt) OR expiresAt > :nowSeconds',
          ExpressionAttributeValues: {
            ...ExpressionAttributeValues,
            ':nowSeconds': Math.floor(now() / 1000),
          },
        }),
      );
      found += answer.Count ?? 0;
      from = answer.LastEvaluatedKey;
    } while (from !== undefined && found < countMax);
    return found;
  };
}

/** DynamoDB refuses a stretch that ends before it begins, as one does that another clock has measured. */
function isEmpty({ after, through }: Stretch): boolean {
  return after !== undefined && after >= through;
}

function inputOf(TableName: string, { partition, after, through }: Stretch) {
  return {
    TableName,
    IndexName: 'waiting',
    KeyConditionExpression: 'waiting = :partition AND waitingAt BETWEEN :after AND :through',
    ExpressionAttributeValues: {
      ':partition': partition,
      // Between a place and the same with a blank behind it there is no other.
      ':after': after === undefined ? ' ' : `${after} `,
      ':through': through,
    },
  };
}
