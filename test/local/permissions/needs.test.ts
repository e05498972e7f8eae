import { describe, expect, it } from 'vitest';
import type { Need, Surroundings } from '../../../local/permissions/needs/need.ts';
import { needsOf } from '../../../local/permissions/needs/needs.ts';

const account = '000000000000';
const arn = (service: string, rest: string) => `arn:aws:${service}:us-east-1:${account}:${rest}`;
const [table, queue, key] = [arn('dynamodb', 'table/ledger'), arn('sqs', 'work'), arn('kms', 'key/k1')];
const secret = arn('secretsmanager', 'secret:a-AbCdEf');

/** One table, one queue, one secret, all with one key; any other queue has none. */
const surroundings: Surroundings = {
  place: { region: 'us-east-1', accountId: account },
  keyOf: (one) => (one === table || one === queue ? key : undefined),
  partitionKeyOf: (one) => (one === `${table}/index/due` ? 'due' : 'pk'),
  keyFacts: (id) =>
    id === 's1'
      ? { arn: arn('kms', 'key/s1'), usage: 'SIGN_VERIFY', spec: 'ECC_NIST_P256', tags: { stage: 'prod' } }
      : undefined,
  secretFacts: (id) => (id === 'a' ? { arn: secret, keyArn: key } : undefined),
  tellsUsageAtTagging: false,
};

const asked = (service: string, action: string, input: object) =>
  needsOf({ service, action, input }, surroundings);
const shown = ({ action, resource }: Need) => `${action} ${resource.split(':').slice(5).join(':')}`;
const QueueUrl = `http://127.0.0.1:1/${account}/work`;
const Key = { pk: { S: 'ORG#1' }, sk: { S: 'x' } };
const item = (name: string) => [`dynamodb:${name} table/ledger`, 'kms:Decrypt key/k1'];
const get = item('GetItem');

describe('a call takes', () => {
  it.each<[string, string, object, string[]]>([
    [
      'sqs',
      'SendMessage',
      { QueueUrl },
      ['sqs:SendMessage work', 'kms:GenerateDataKey key/k1', 'kms:Decrypt key/k1'],
    ],
    [
      'sqs',
      'SendMessageBatch',
      { QueueUrl },
      ['sqs:SendMessage work', 'kms:GenerateDataKey key/k1', 'kms:Decrypt key/k1'],
    ],
    ['sqs', 'SendMessage', { QueueUrl: `${QueueUrl}2` }, ['sqs:SendMessage work2']],
    ['sqs', 'ReceiveMessage', { QueueUrl }, ['sqs:ReceiveMessage work', 'kms:Decrypt key/k1']],
    ['sqs', 'DeleteMessageBatch', { QueueUrl }, ['sqs:DeleteMessage work']],
    ['sqs', 'ChangeMessageVisibilityBatch', { QueueUrl }, ['sqs:ChangeMessageVisibility work']],
    [
      'sqs',
      'StartMessageMoveTask',
      { SourceArn: queue, DestinationArn: arn('sqs', 'other') },
      [
        ...['sqs:StartMessageMoveTask work', 'sqs:ReceiveMessage work', 'kms:Decrypt key/k1'],
        ...['sqs:DeleteMessage work', 'sqs:GetQueueAttributes work', 'sqs:SendMessage other'],
      ],
    ],
    ['dynamodb', 'GetItem', { TableName: 'ledger', Key }, get],
    ['dynamodb', 'GetItem', { TableName: table, Key }, get],
    [
      'dynamodb',
      'Query',
      { TableName: 'ledger', IndexName: 'due' },
      ['dynamodb:Query table/ledger/index/due', 'kms:Decrypt key/k1'],
    ],
    ['dynamodb', 'BatchGetItem', { RequestItems: { ledger: { Keys: [Key] } } }, item('BatchGetItem')],
    [
      'dynamodb',
      'BatchWriteItem',
      { RequestItems: { ledger: [{ PutRequest: { Item: Key } }, { DeleteRequest: { Key } }] } },
      item('BatchWriteItem'),
    ],
    [
      'dynamodb',
      'TransactWriteItems',
      {
        TransactItems: [
          { Put: { TableName: 'ledger', Item: Key } },
          { Update: { TableName: 'ledger', Key } },
          { Delete: { TableName: 'ledger', Key } },
          { ConditionCheck: { TableName: 'ledger', Key } },
        ],
      },
      ['PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'].flatMap(item),
    ],
    ['dynamodb', 'TransactGetItems', { TransactItems: [{ Get: { TableName: 'ledger', Key } }] }, get],
    [
      'secretsmanager',
      'GetSecretValue',
      { SecretId: 'a' },
      ['secretsmanager:GetSecretValue secret:a-AbCdEf', 'kms:Decrypt key/k1'],
    ],
    [
      'secretsmanager',
      'UpdateSecretVersionStage',
      { SecretId: 'a' },
      ['secretsmanager:UpdateSecretVersionStage secret:a-AbCdEf'],
    ],
    [
      'secretsmanager',
      'CreateSecret',
      { Name: 'b', KmsKeyId: key, Tags: [{ Key: 'x', Value: 'y' }] },
      [
        ...['secretsmanager:CreateSecret secret:b-??????', 'secretsmanager:TagResource secret:b-??????'],
        ...['kms:GenerateDataKey key/k1', 'kms:Decrypt key/k1'],
      ],
    ],
    ['kms', 'CreateKey', {}, ['kms:CreateKey ']],
    [
      'kms',
      'CreateKey',
      { Tags: [{ TagKey: 'a', TagValue: 'b' }] },
      ['kms:CreateKey ', 'kms:TagResource key/*'],
    ],
    ['kms', 'Sign', { KeyId: 's1' }, ['kms:Sign key/s1']],
    [
      'events',
      'PutEvents',
      { Entries: [{ EventBusName: 'a' }, { EventBusName: 'a' }, {}] },
      ['events:PutEvents event-bus/a', 'events:PutEvents event-bus/default'],
    ],
    ['tagging', 'GetResources', {}, ['tag:GetResources ']],
  ])('%s:%s of %j', (...[service, action, input, needs]) => {
    expect(asked(service, action, input).map(shown)).toEqual(needs);
  });
});

describe('a condition may ask for', () => {
  it.each<[string, string, string, object, object]>([
    [
      'the key of an item',
      'dynamodb',
      'PutItem',
      { TableName: 'ledger', Item: Key },
      { 'dynamodb:LeadingKeys': ['ORG#1'] },
    ],
    [
      'that of a query, behind a placeholder',
      'dynamodb',
      'Query',
      {
        TableName: 'ledger',
        IndexName: 'due',
        KeyConditionExpression: '#d = :d AND sk < :s',
        ExpressionAttributeNames: { '#d': 'due' },
        ExpressionAttributeValues: { ':d': { S: 'DUE#1' }, ':s': { S: 'z' } },
      },
      { 'dynamodb:LeadingKeys': ['DUE#1'] },
    ],
    [
      'the tags and the use of a key',
      'kms',
      'Sign',
      { KeyId: 's1', SigningAlgorithm: 'ECDSA_SHA_256', MessageType: 'DIGEST' },
      {
        'aws:ResourceTag/stage': 'prod',
        'kms:KeyUsage': 'SIGN_VERIFY',
        'kms:SigningAlgorithm': 'ECDSA_SHA_256',
        'kms:MessageType': 'DIGEST',
      },
    ],
    [
      'the tags that a key shall have',
      'kms',
      'CreateKey',
      { KeyUsage: 'SIGN_VERIFY', Tags: [{ TagKey: 'stage', TagValue: 'prod' }] },
      { 'aws:RequestTag/stage': 'prod', 'aws:TagKeys': ['stage'], 'kms:KeyUsage': 'SIGN_VERIFY' },
    ],
  ])('%s', (...[, service, action, input, context]) => {
    expect(asked(service, action, input)[0]?.context).toMatchObject(context);
  });

  it('the service by which a key is used', () => {
    const [, ofKey] = asked('sqs', 'ReceiveMessage', { QueueUrl });
    expect(ofKey?.context).toMatchObject({
      'kms:ViaService': 'sqs.us-east-1.amazonaws.com',
      'kms:EncryptionContext:aws:sqs:arn': queue,
    });
  });
});

describe('what nobody can judge is not carried out', () => {
  it.each(['sqs', 'dynamodb', 'kms', 'secretsmanager', 'events', 'tagging', 'glacier'])(
    'an unknown call of %s',
    (service) => {
      expect(() => asked(service, 'Teleport', {})).toThrow('Nobody has written down');
    },
  );

  it('input that cannot be read', () => {
    expect(() => asked('dynamodb', 'GetItem', {})).toThrow('It cannot be told');
  });
});
