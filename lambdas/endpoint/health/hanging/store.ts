import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import type { Key } from '../../../shared/store.ts';
import { expiryOf } from '../../../shared/time.ts';
import type { Now } from '../../../shared/time.ts';
import type { Hang } from '../slow.ts';

/**
 * Counts the attempts of all functions that an endpoint leaves without an answer: an item with an attribute for each,
 * which is taken away by the answer, and no longer counts after its timeout, should its function have died. Neither
 * write has a condition, so those who begin to wait at the same moment do not get in each other's way.
 */
export function makeHang(client: DynamoDBDocumentClient, TableName: string, now: Now): Hang {
  return async function hang(endpointId, attemptId, untilMs) {
    const Key = hangingKey(endpointId);
    const own = `${prefix}${attemptId}`;
    const { Attributes } = await client.send(
      new UpdateCommand({
        ...{ TableName, Key, ReturnValues: 'ALL_NEW' },
        UpdateExpression: 'SET #own = :until, expiresAt = :expiresAt',
        ExpressionAttributeNames: { '#own': own },
        ExpressionAttributeValues: { ':until': untilMs, ':expiresAt': expiryOf(now(), 1) },
      }),
    );
    const all = Object.entries(item.parse(Attributes)).filter(([name]) => name.startsWith(prefix));
    const over = all.filter(([, endMs]) => Number(endMs) <= now()).map(([name]) => name);
    return {
      count: all.length - over.length,
      end: async () => {
        // Those of functions that have died go with it.
        const names = [own, ...over.filter((name) => name !== own).slice(0, goneMax)];
        await client.send(
          new UpdateCommand({
            ...{ TableName, Key },
            UpdateExpression: `REMOVE ${names.map((_, at) => `#a${at}`).join(', ')}`,
            ExpressionAttributeNames: Object.fromEntries(names.map((name, at) => [`#a${at}`, name])),
          }),
        );
      },
    };
  };
}

/** Of the attributes that stand for an attempt. */
const prefix = 'hangs ';

/** An expression may be 4 KB long. */
const goneMax = 50;

const item = z.record(z.string(), z.unknown());

function hangingKey(endpointId: string): Key {
  return { pk: `ENDPOINT#${endpointId}`, sk: 'HANGING' };
}
