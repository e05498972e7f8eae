import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { auditId } from '../../shared/identifier.ts';
import { parseJson } from '../../shared/json.ts';
import { cursorAt, positionOf } from '../../shared/page.ts';
import type { Page } from '../../shared/page.ts';
import { queryPage } from '../../shared/store.ts';
import type { Key } from '../../shared/store.ts';
import { ulid } from '../../shared/ulid.ts';
import type { AuditQuery } from './audit-routes.ts';
import { auditEntry } from './entry.ts';
import type { AuditEntry } from './entry.ts';

const keyOf = (organizationId: string, id: string): Key => ({ pk: `AUDIT#${organizationId}`, sk: id });

/** The audit in the configuration: it is kept for good. */
export function makeAuditStore(client: DynamoDBDocumentClient, config: string) {
  return {
    put: async (organizationId: string, entry: AuditEntry): Promise<void> => {
      // As JSON: what was changed may hold numbers that DynamoDB's do not.
      const Item = { ...keyOf(organizationId, entry.id), entry: JSON.stringify(entry) };
      await client.send(new PutCommand({ TableName: config, Item }));
    },

    remove: async (organizationId: string, id: string): Promise<void> => {
      await client.send(new DeleteCommand({ TableName: config, Key: keyOf(organizationId, id) }));
    },

    list: listOf(client, config),
  };
}

/** Newest first; a page reads at most `limit` entries. */
function listOf(client: DynamoDBDocumentClient, config: string) {
  return async function list(organizationId: string, query: AuditQuery): Promise<Page<AuditEntry>> {
    const { limit, cursor, since, until } = query;
    const before = cursor === undefined ? undefined : positionOf(cursor, z.tuple([auditId]))[0];
    const { items, isLast } = await queryPage(client, {
      TableName: config,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      ExpressionAttributeValues: {
        ':pk': keyOf(organizationId, '').pk,
        ':from': since === undefined ? 'aud_' : idAt(since, 0),
        ':to': until === undefined ? 'aud_~' : idAt(until, 255),
      },
      ScanIndexForward: false,
      Limit: limit,
      ...(before === undefined ? {} : { ExclusiveStartKey: keyOf(organizationId, before) }),
    });
    const data = items.map(({ entry }) => auditEntry.parse(parseJson(String(entry))));
    const last = data.at(-1);
    return { data, nextCursor: isLast || last === undefined ? null : cursorAt([last.id]) };
  };
}

/** The least (0) or greatest (255) id of an entry at a moment. */
function idAt(time: string, fill: number): string {
  return `aud_${ulid(Math.max(0, Date.parse(time)), new Uint8Array(10).fill(fill))}`;
}
