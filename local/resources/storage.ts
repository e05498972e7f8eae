import {
  CreateTableCommand,
  DescribeTableCommand,
  ResourceInUseException,
  ResourceNotFoundException,
} from '@aws-sdk/client-dynamodb';
import type { CreateTableCommandInput, DynamoDBClient, TableDescription } from '@aws-sdk/client-dynamodb';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Kms } from '../aws/kms.ts';
import type { Maker, Place } from './create.ts';
import { ignored } from './property.ts';

export interface StorageOptions {
  readonly dynamodb: DynamoDBClient;
  readonly kms: Kms;
  readonly place: Place;
}

/** Keys, and tables, made through the same CreateTable that any caller of the local AWS could send. */
export function storageMakers({ dynamodb, kms, place }: StorageOptions): Readonly<Record<string, Maker>> {
  return {
    'AWS::KMS::Key': async (logicalId, properties) => {
      key.parse(properties);
      const made = await kms.ensureSymmetricKey(keyIdOf(logicalId));
      return { ref: made.id, attributes: { Arn: kms.arnOf(made), KeyId: made.id } };
    },
    'AWS::DynamoDB::Table': async (logicalId, properties) => {
      const wanted = table.parse(properties);
      const name = wanted.TableName ?? `Tidings-${logicalId}`;
      await createTable(dynamodb, {
        TableName: name,
        AttributeDefinitions: wanted.AttributeDefinitions,
        KeySchema: wanted.KeySchema,
        BillingMode: wanted.BillingMode,
        ...(wanted.GlobalSecondaryIndexes && { GlobalSecondaryIndexes: wanted.GlobalSecondaryIndexes }),
      });
      return {
        ref: name,
        attributes: { Arn: `arn:aws:dynamodb:${place.region}:${place.accountId}:table/${name}` },
      };
    },
  };
}

const key = z.strictObject({
  KeySpec: z.literal('SYMMETRIC_DEFAULT').default('SYMMETRIC_DEFAULT'),
  KeyUsage: z.literal('ENCRYPT_DECRYPT').default('ENCRYPT_DECRYPT'),
  Description: ignored,
  EnableKeyRotation: ignored,
  KeyPolicy: ignored,
  PendingWindowInDays: ignored,
});

/** The same id at every start, since what was stored in a data folder may name it. */
function keyIdOf(logicalId: string): string {
  const hex = createHash('sha256').update(logicalId).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

const keySchema = z.array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));

const table = z.strictObject({
  TableName: z.string().optional(),
  AttributeDefinitions: z.array(
    z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) }),
  ),
  KeySchema: keySchema,
  BillingMode: z.literal('PAY_PER_REQUEST'),
  GlobalSecondaryIndexes: z
    .array(
      z.strictObject({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.strictObject({
          ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
          NonKeyAttributes: z.array(z.string()).exactOptional(),
        }),
      }),
    )
    .optional(),
  // dynalite deletes nothing when its time has come, so every read must filter on it.
  TimeToLiveSpecification: ignored,
  DeletionProtectionEnabled: ignored,
  PointInTimeRecoverySpecification: ignored,
  SSESpecification: ignored,
});

/** Makes the table, or finds in the data folder the one that an earlier start made. */
async function createTable(client: DynamoDBClient, wanted: CreateTableCommandInput): Promise<void> {
  try {
    await client.send(new CreateTableCommand(wanted));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  const found = await activeTable(client, wanted.TableName ?? '');
  if (shapeOf(found) !== shapeOf(wanted)) {
    throw new Error(
      `The data folder holds ${String(wanted.TableName)} with other keys or indexes: use a new folder`,
    );
  }
}

async function activeTable(client: DynamoDBClient, name: string): Promise<TableDescription> {
  for (let tries = 0; tries < 500; tries += 1) {
    const { Table } = await client
      .send(new DescribeTableCommand({ TableName: name }))
      .catch((error: unknown) => {
        if (error instanceof ResourceNotFoundException) return { Table: undefined };
        throw error;
      });
    if (Table?.TableStatus === 'ACTIVE') return Table;
    await sleep(10);
  }
  // A process killed in its very first second leaves a table that dynalite was just making.
  throw new Error(
    `The table ${name} is not ready after five seconds: if this repeats, delete the data folder`,
  );
}

function shapeOf({ KeySchema, GlobalSecondaryIndexes }: TableDescription | CreateTableCommandInput): string {
  const indexes = (GlobalSecondaryIndexes ?? []).map((index) => [index.IndexName, keysOf(index.KeySchema)]);
  return JSON.stringify([keysOf(KeySchema), indexes.toSorted()]);
}

function keysOf(keys: TableDescription['KeySchema']): readonly string[] {
  return (keys ?? []).map(({ AttributeName, KeyType }) => `${String(KeyType)} ${String(AttributeName)}`);
}
