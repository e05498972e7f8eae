import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';

export interface Tables {
  readonly client: DynamoDBDocumentClient;
  readonly config: string;
  readonly ledger: string;
  readonly close: () => Promise<void>;
}

/** The two tables of lib/storage.ts in a DynamoDB that lives in memory. */
export async function startTables(): Promise<Tables> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const plain = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const client = DynamoDBDocumentClient.from(plain, { marshallOptions: { removeUndefinedValues: true } });
  await plain.send(
    new CreateTableCommand({
      TableName: 'config',
      ...keys(['list', 'listOrder']),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byList',
          KeySchema: [
            { AttributeName: 'list', KeyType: 'HASH' },
            { AttributeName: 'listOrder', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
  await plain.send(
    new CreateTableCommand({
      TableName: 'ledger',
      ...keys(['statusKey', 'eventId']),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'byStatus',
          KeySchema: [
            { AttributeName: 'statusKey', KeyType: 'HASH' },
            { AttributeName: 'eventId', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...projected] },
        },
      ],
    }),
  );
  return {
    client,
    config: 'config',
    ledger: 'ledger',
    close: async () => {
      plain.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What the index holds besides its keys, as in lib/storage.ts. */
const projected = [
  'organizationId',
  'endpointId',
  'eventType',
  'status',
  'reason',
  'round',
  'attemptCount',
  'lastError',
  'nextAttemptAt',
  'updatedAt',
  'expiresAt',
] as const;

function keys(indexed: readonly string[]) {
  return {
    BillingMode: 'PAY_PER_REQUEST' as const,
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' as const },
      { AttributeName: 'sk', KeyType: 'RANGE' as const },
    ],
    AttributeDefinitions: ['pk', 'sk', ...indexed].map((AttributeName) => ({
      AttributeName,
      AttributeType: 'S' as const,
    })),
  };
}
