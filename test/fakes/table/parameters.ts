import { unsupported } from './refusal.ts';

const names = ['TableName', 'ExpressionAttributeNames'];
const conditional = [...names, 'ConditionExpression', 'ExpressionAttributeValues'];
const writing = [...conditional, 'ReturnValues'];

/** The parameters of each request that the table in memory knows. */
export const parameters = {
  get: new Set([...names, 'Key', 'ConsistentRead', 'ProjectionExpression']),
  put: new Set([...writing, 'Item']),
  update: new Set([...writing, 'Key', 'UpdateExpression']),
  delete: new Set([...writing, 'Key']),
  query: new Set([
    ...names,
    ...['IndexName', 'KeyConditionExpression', 'FilterExpression', 'ProjectionExpression'],
    ...[
      'ExpressionAttributeValues',
      'ConsistentRead',
      'ScanIndexForward',
      'Limit',
      'Select',
      'ExclusiveStartKey',
    ],
  ]),
  batchGet: new Set(['RequestItems']),
  transaction: new Set(['TransactItems', 'ClientRequestToken']),
  transactItem: new Set(['Put', 'Update', 'Delete']),
  transactPut: new Set([...conditional, 'Item']),
  transactUpdate: new Set([...conditional, 'Key', 'UpdateExpression']),
  transactDelete: new Set([...conditional, 'Key']),
} satisfies Readonly<Record<string, ReadonlySet<string>>>;

/** Refuses what is not among the parameters of a request. */
export function check(input: object, known: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(input))
    if (value !== undefined && !known.has(name)) throw unsupported(`the parameter ${name}`);
}
