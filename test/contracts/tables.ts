import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { CreateTableCommandInput, KeySchemaElement } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { openDynamoDb } from '../../local/aws/dynamodb.ts';
import { readBody } from '../../local/aws/server-messages.ts';
import { memoryTables } from '../fakes/table/memory-tables.ts';
import type { MemoryTables } from '../fakes/table/memory-tables.ts';
import { tableKeys, tableShapes } from '../fakes/table/shapes.ts';
import type { TableShape } from '../fakes/table/shapes.ts';

export type Tables = Pick<MemoryTables, 'client' | 'config' | 'ledger' | 'close'>;

/** Where a contract is kept: the table in memory that the fakes stand on, and a DynamoDB of others. */
export const kinds: [string, () => Promise<Tables>][] = [
  ['memory', () => Promise.resolve(memoryTables({ now: () => 0 }))],
  ['DynamoDB', startTables],
];

/** The two tables of lib/storage.ts in the local runtime's DynamoDB, which lives in memory. */
export async function startTables(): Promise<Tables> {
  const dynamodb = openDynamoDb();
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      dynamodb.answer(request, response, body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const plain = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const client = DynamoDBDocumentClient.from(plain, { marshallOptions: { removeUndefinedValues: true } });
  for (const shape of tableShapes) await plain.send(new CreateTableCommand(inputOf(shape)));
  return {
    client,
    config: 'config',
    ledger: 'ledger',
    close: async () => {
      plain.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await dynamodb.close();
    },
  };
}

/** A table as DynamoDB is told of it. */
function inputOf({ name, indexes }: TableShape): CreateTableCommandInput {
  const keys = [...tableKeys, ...indexes.flatMap(({ partition, sort }) => [partition, sort])];
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(...tableKeys),
    AttributeDefinitions: [...new Set(keys)].map((key) => ({ AttributeName: key, AttributeType: 'S' })),
    GlobalSecondaryIndexes: indexes.map((index) => ({
      IndexName: index.name,
      KeySchema: keySchema(index.partition, index.sort),
      Projection:
        index.projected === 'all'
          ? { ProjectionType: 'ALL' }
          : { ProjectionType: 'INCLUDE', NonKeyAttributes: [...index.projected] },
    })),
  };
}

function keySchema(partition: string, sort: string): KeySchemaElement[] {
  return [
    { AttributeName: partition, KeyType: 'HASH' },
    { AttributeName: sort, KeyType: 'RANGE' },
  ];
}
