import { z } from 'zod';
import { keyUse, unknownCall } from './need.ts';
import type { Need, Surroundings } from './need.ts';

/** Looked at no further: of its attributes only the partition key is of interest, and there may be many. */
const item = z.custom<Record<string, Record<string, unknown>>>(
  (value) => typeof value === 'object' && value !== null,
);
const named = z.looseObject({ TableName: z.string() });
const asked = named.extend({
  IndexName: z.string().optional(),
  Key: item.optional(),
  Item: item.optional(),
  KeyConditionExpression: z.string().default(''),
  ExpressionAttributeNames: z.record(z.string(), z.string()).default({}),
  ExpressionAttributeValues: item.default({}),
});
type Asked = z.output<typeof asked>;
type Item = z.output<typeof item>;

const batchGet = z.looseObject({
  RequestItems: z.record(z.string(), z.looseObject({ Keys: z.array(item) })),
});
const written = z.union([
  z.strictObject({ PutRequest: z.strictObject({ Item: item }) }).transform((one) => one.PutRequest.Item),
  z.strictObject({ DeleteRequest: z.strictObject({ Key: item }) }).transform((one) => one.DeleteRequest.Key),
]);
const batchWrite = z.looseObject({ RequestItems: z.record(z.string(), z.array(written)) });
const transaction = z.looseObject({ TransactItems: z.array(z.record(z.string(), asked)) });

/** Which permission each part of a transaction takes (developer guide, "Using IAM with transactions"). */
const partOf: Readonly<Record<string, string>> = {
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
};

/** What a call of DynamoDB takes. */
export function dynamodbNeeds(action: string, input: unknown, surroundings: Surroundings): readonly Need[] {
  switch (action) {
    case 'GetItem':
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
    case 'Query':
    case 'Scan':
      return onTable(surroundings, { action, ...leading(surroundings, asked.parse(input)) });
    case 'BatchGetItem':
      return Object.entries(batchGet.parse(input).RequestItems).flatMap(([table, { Keys }]) =>
        onItems(surroundings, { action, table, items: Keys }),
      );
    case 'BatchWriteItem':
      return Object.entries(batchWrite.parse(input).RequestItems).flatMap(([table, items]) =>
        onItems(surroundings, { action, table, items }),
      );
    case 'TransactGetItems':
    case 'TransactWriteItems':
      return transaction.parse(input).TransactItems.flatMap((parts) =>
        Object.entries(parts).flatMap(([part, one]) =>
          onTable(surroundings, {
            action: partOf[part] ?? unknownCall('dynamodb', part),
            ...leading(surroundings, one),
          }),
        ),
      );
    case 'CreateTable':
    case 'DescribeTable':
      return [
        { action: `dynamodb:${action}`, resource: tableArn(surroundings, named.parse(input).TableName) },
      ];
    case 'ListTables':
      return [{ action: 'dynamodb:ListTables', resource: '*' }];
    default:
      return unknownCall('dynamodb', action);
  }
}

interface OnTable {
  readonly action: string;
  readonly table: string;
  readonly index?: string | undefined;
  /** Values of the partition key; undefined where none is named. */
  readonly leadingKeys: readonly string[] | undefined;
}

function onItems(
  surroundings: Surroundings,
  { action, table, items }: { action: string; table: string; items: readonly Item[] },
): Need[] {
  const name = surroundings.partitionKeyOf(tableArn(surroundings, table));
  const values = items.flatMap((one) => textOf(one[name ?? '']) ?? []);
  return onTable(surroundings, { action, table, leadingKeys: [...new Set(values)] });
}

/**
 * The action itself, and Decrypt of the table's key: DynamoDB opens it in the caller's name, for what is written as well
 * (developer guide, "Encryption at rest: usage notes", on Decrypt of the table key).
 */
function onTable(surroundings: Surroundings, { action, table, index, leadingKeys }: OnTable): Need[] {
  const arn = tableArn(surroundings, table);
  const resource = index === undefined ? arn : `${arn}/index/${index}`;
  const context = { 'dynamodb:LeadingKeys': leadingKeys };
  const name = arn.slice(arn.indexOf(':table/') + 7);
  return [
    { action: `dynamodb:${action}`, resource, context },
    ...keyUse(surroundings, surroundings.keyOf(arn), {
      via: 'dynamodb',
      actions: ['Decrypt'],
      context: { 'kms:EncryptionContext:aws:dynamodb:tableName': name },
    }),
  ];
}

function leading(surroundings: Surroundings, one: Asked): Omit<OnTable, 'action'> {
  const { TableName: table, IndexName: index, Key, Item } = one;
  const arn = tableArn(surroundings, table);
  const name = surroundings.partitionKeyOf(index === undefined ? arn : `${arn}/index/${index}`);
  const value = name === undefined ? undefined : (textOf((Key ?? Item)?.[name]) ?? queried(one, name));
  return { table, index, leadingKeys: value === undefined ? undefined : [value] };
}

/** The value that a query asks of an attribute: `pk = :pk`, the name perhaps behind a placeholder. */
function queried(one: Asked, attribute: string): string | undefined {
  const { KeyConditionExpression, ExpressionAttributeNames: names, ExpressionAttributeValues: values } = one;
  for (const [, name = '', value = ''] of KeyConditionExpression.matchAll(/([#\w]+)\s*=\s*(:\w+)/g)) {
    if ((names[name] ?? name) === attribute) return textOf(values[value]);
  }
  return undefined;
}

function textOf(value: Record<string, unknown> | undefined): string | undefined {
  const [text] = Object.values(value ?? {});
  return typeof text === 'string' ? text : undefined;
}

function tableArn({ place }: Surroundings, nameOrArn: string): string {
  if (nameOrArn.startsWith('arn:')) return nameOrArn;
  return `arn:aws:dynamodb:${place.region}:${place.accountId}:table/${nameOrArn}`;
}
