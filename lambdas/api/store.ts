import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RandomBytes } from '../shared/identifier.ts';
import { isWritten } from '../shared/store.ts';
import type { Key } from '../shared/store.ts';
import type { Now } from '../shared/time.ts';
import type { KeptRequest, OncePorts } from './once.ts';
import type { RateLimitPorts } from './rate-limit.ts';

/** Counts the requests of a caller, an item for each of its minutes. */
export function makeTakeRequests(client: DynamoDBDocumentClient, ledger: string): RateLimitPorts['take'] {
  return async function takeRequests(subject, minute, requests) {
    // A subject is the issuer's word: of any length, and nobody's business.
    const caller = createHash('sha256').update(subject).digest('base64url');
    const { Attributes } = await client.send(
      new UpdateCommand({
        TableName: ledger,
        Key: { pk: `CALLER#${caller}`, sk: `MINUTE#${String(minute)}` },
        UpdateExpression: 'SET expiresAt = :expiresAt ADD requests :requests',
        ExpressionAttributeValues: { ':requests': requests, ':expiresAt': (minute + 5) * 60 },
        ReturnValues: 'UPDATED_NEW',
      }),
    );
    return z.number().parse(Attributes?.['requests']);
  };
}

const keptRequest = z.object({
  id: z.string(),
  fingerprint: z.string(),
  token: z.string(),
  begunAtMs: z.number(),
  firstAtMs: z.number().optional(),
  isFree: z.literal(true).optional(),
  answer: z.string().optional(),
  heldUntilMs: z.number().optional(),
  expiresAt: z.number(),
});

function keyOf(organizationId: string, { id }: KeptRequest): Key {
  return { pk: `ORG#${organizationId}`, sk: `REQUEST#${id}` };
}

/** Requests with a key of their own (`Idempotency-Key`), and what they were answered. */
export function makeRequestStore(
  client: DynamoDBDocumentClient,
  ledger: string,
  now: Now,
): OncePorts['requests'] {
  return {
    begin: beginOf(client, ledger, now),

    keep: async (organizationId, answered) => {
      const Item = { ...keyOf(organizationId, answered), ...answered };
      await client.send(new PutCommand({ TableName: ledger, Item }));
    },

    forget: async (organizationId, begun) => {
      const write = new PutCommand({
        TableName: ledger,
        Item: { ...keyOf(organizationId, begun), ...begun, isFree: true },
        // TOKEN is a reserved word.
        ConditionExpression: '#token = :own',
        ExpressionAttributeNames: { '#token': 'token' },
        ExpressionAttributeValues: { ':own': begun.token },
      });
      await isWritten(client, write);
    },
  };
}

function beginOf(client: DynamoDBDocumentClient, ledger: string, now: Now): OncePorts['requests']['begin'] {
  return async function begin(organizationId, begun) {
    const Key = keyOf(organizationId, begun);
    const write = new PutCommand({
      TableName: ledger,
      Item: { ...Key, ...begun },
      // TTL deletes late.
      ConditionExpression: 'attribute_not_exists(pk) OR expiresAt <= :now OR isFree = :true',
      ExpressionAttributeValues: { ':now': Math.floor(now() / 1000), ':true': true },
      ReturnValues: 'ALL_OLD',
    });
    const old = await client.send(write).catch((fault: unknown) => {
      if (fault instanceof ConditionalCheckFailedException) return undefined;
      throw fault;
    });
    if (old !== undefined) {
      const before = keptRequest.optional().parse(old.Attributes);
      return before?.isFree === true && before.expiresAt > now() / 1000 ? before : undefined;
    }
    const there = await client.send(new GetCommand({ TableName: ledger, Key, ConsistentRead: true }));
    return keptRequest.parse(there.Item);
  };
}

const cursorKeyKey = { pk: 'CURSORS', sk: 'KEY' };

/**
 * The key that seals cursors, made when it is first needed. It lies in the configuration, encrypted with the stack's
 * key: the API's function may read no secret, and a cursor's seal guards nothing but a list against made-up places.
 */
export function makeReadCursorKey(
  client: DynamoDBDocumentClient,
  config: string,
  randomBytes: RandomBytes,
): () => Promise<Uint8Array> {
  const read = async () => {
    const Key = cursorKeyKey;
    const { Item } = await client.send(new GetCommand({ TableName: config, Key, ConsistentRead: true }));
    return Item === undefined ? undefined : Buffer.from(z.string().parse(Item['key']), 'base64');
  };
  let kept: Uint8Array | undefined;
  return async function readCursorKey() {
    kept ??= await read();
    if (kept !== undefined) return kept;
    const Item = { ...cursorKeyKey, key: Buffer.from(randomBytes()).toString('base64') };
    await isWritten(
      client,
      new PutCommand({ TableName: config, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
    );
    kept = await read();
    if (kept === undefined) throw new Error('the key that seals cursors is not there');
    return kept;
  };
}
