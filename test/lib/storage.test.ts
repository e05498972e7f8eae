import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nameOf, withoutHash } from './synthesized.ts';
import { named, ofType, stack } from './the-stack.ts';

const { template, resources } = stack;

describe('tables', () => {
  const tables = ofType('AWS::DynamoDB::Table');

  it.each(tables)('%s can be restored, is not deleted, is encrypted and paid by use', (_id, table) => {
    expect(table.Properties).toMatchObject({
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: true,
      SSESpecification: { SSEEnabled: true, SSEType: 'KMS' },
    });
    const { KMSMasterKeyId } = z
      .looseObject({ KMSMasterKeyId: z.unknown() })
      .parse(table.Properties['SSESpecification']);
    expect(nameOf(KMSMasterKeyId)).toBe('StorageKey');
  });

  it('what happened expires, what people decided does not', () => {
    const expiry = tables.map(([id, table]) => [
      withoutHash(id),
      table.Properties['TimeToLiveSpecification'],
    ]);
    expect(Object.fromEntries(expiry)).toEqual({
      StorageConfig: undefined,
      StorageLedger: { AttributeName: 'expiresAt', Enabled: true },
    });
  });

  it('lists organizations, and what ends soon, by a sparse index, and reads nothing else for it', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      GlobalSecondaryIndexes: [
        Match.objectLike({
          IndexName: 'byList',
          KeySchema: [
            { AttributeName: 'list', KeyType: 'HASH' },
            { AttributeName: 'listOrder', KeyType: 'RANGE' },
          ],
        }),
      ],
    });
  });

  it('are put out by name, for `npm run reconcile`', () => {
    const value = (name: string) =>
      z.object({ Value: z.unknown() }).parse(template.findOutputs(name)[name]).Value;
    expect(nameOf(value('ConfigTable'))).toBe('StorageConfig');
    expect(nameOf(value('LedgerTable'))).toBe('StorageLedger');
  });

  it('the index over what is not delivered is sparse and holds no attempts', () => {
    const index = indexesOfLedger().get('byStatus');
    expect(index?.KeySchema).toEqual([
      { AttributeName: 'statusKey', KeyType: 'HASH' },
      { AttributeName: 'eventId', KeyType: 'RANGE' },
    ]);
    // What a summary of a delivery needs (deliverySummary), and not a byte more.
    expect(index?.Projection.NonKeyAttributes.toSorted()).toEqual([
      'attemptCount',
      'endpointId',
      'eventType',
      'expiresAt',
      'lastError',
      'nextAttemptAt',
      'organizationId',
      'reason',
      'round',
      'status',
      'updatedAt',
    ]);
  });

  it('the index over what waits holds what the next message is made of', () => {
    const index = indexesOfLedger().get('waiting');
    expect(index?.KeySchema).toEqual([
      { AttributeName: 'waiting', KeyType: 'HASH' },
      { AttributeName: 'waitingAt', KeyType: 'RANGE' },
    ]);
    expect(index?.Projection.NonKeyAttributes.toSorted()).toEqual([
      'attemptCount',
      'endpointId',
      'eventId',
      'eventType',
      'expiresAt',
      'lastError',
      'organizationId',
      'round',
      'status',
    ]);
  });

  it('there are no other indexes of what happened: each is written again with every change', () => {
    expect([...indexesOfLedger().keys()]).toEqual(['byStatus', 'waiting']);
  });
});

describe('what outlives the stack', () => {
  it('the key, both tables and the users are retained', () => {
    const kept = [...resources]
      .filter(
        ([, { DeletionPolicy, UpdateReplacePolicy }]) =>
          DeletionPolicy?.startsWith('Retain') === true && UpdateReplacePolicy === 'Retain',
      )
      .filter(([, { Type }]) => Type !== 'AWS::Logs::LogGroup')
      .map(([id]) => withoutHash(id));
    expect(kept.toSorted()).toEqual(['IdentityUsers', 'StorageConfig', 'StorageKey', 'StorageLedger']);
  });

  it('logical ids of what holds state stay what they are: another id is another, empty resource', () => {
    const types = ['KMS::Key', 'DynamoDB::Table', 'SQS::Queue', 'Events::EventBus', 'Cognito::UserPool'];
    const ids = types.flatMap((type) => ofType(`AWS::${type}`).map(([id]) => id));
    expect(ids.toSorted()).toEqual([
      'DeliveryDeliveries2C16EC5C',
      'DeliveryDeliveriesDead7EE2C688',
      'DeliveryFallingEBF21BF3',
      'DeliveryLanesDead1380250D',
      'DeliveryRetriesDD63EBB3',
      'IdentityUsers61009EFD',
      'IngestBusAD6D06A0',
      'IngestBusDead0DF4B39F',
      'IngestEventsDeadD95DA77C',
      'IngestEventsEF99370A',
      'IngestEventsFallingC1F2214C',
      'RecoveryDead8260AE4D',
      'RecoveryQueueA02E2701',
      'StorageConfigC044A3DD',
      'StorageKeyBAA9457B',
      'StorageLedger5E7CB2E3',
    ]);
  });

  it('the key is turned every year, and waits 30 days before it is deleted', () => {
    template.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true, PendingWindowInDays: 30 });
  });
});

function indexesOfLedger() {
  const index = z.looseObject({
    IndexName: z.string(),
    KeySchema: z.unknown(),
    Projection: z.strictObject({
      ProjectionType: z.literal('INCLUDE'),
      NonKeyAttributes: z.array(z.string()),
    }),
  });
  const { GlobalSecondaryIndexes } = named('StorageLedger').Properties;
  return new Map(
    z
      .array(index)
      .parse(GlobalSecondaryIndexes)
      .map((one) => [one.IndexName, one]),
  );
}
