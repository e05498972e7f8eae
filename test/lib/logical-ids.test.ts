import { describe, expect, it } from 'vitest';
import { synthesized } from './synthesized.ts';

const settings: readonly Readonly<Record<string, string>>[] = [
  {},
  { stage: 'dev', retentionDays: '7' },
  {
    tracing: 'true',
    egressZones: '2',
    archiveDays: '30',
    alarmEmail: 'night@acme.example',
    programs: 'org_1',
    canary: 'true',
  },
];

/**
 * CloudFormation knows a resource by this id alone: whoever renames or moves a construct has a new one made, and the old
 * one deleted, or left behind with the data. A release must never change a line of this list.
 */
const kept = {
  StorageKeyBAA9457B: 'AWS::KMS::Key: encrypts everything that is kept',
  StorageConfigC044A3DD: 'AWS::DynamoDB::Table: what people have decided',
  StorageLedger5E7CB2E3: 'AWS::DynamoDB::Table: what happened',
  IdentityUsers61009EFD: 'AWS::Cognito::UserPool: people and their passwords',
  IdentityUsersConsole3B67AAF7: 'AWS::Cognito::UserPoolClient: the audience of tokens',
  IdentityUsersDomain884689BD: 'AWS::Cognito::UserPoolDomain: where people sign in',
  IngestBusAD6D06A0: 'AWS::Events::EventBus: where producers publish',
  ApiHttp17514DA7: 'AWS::ApiGatewayV2::Api: its host is the issuer of every signature by key',
  IngestEventsEF99370A: 'AWS::SQS::Queue: events that wait',
  IngestEventsFallingC1F2214C: 'AWS::SQS::Queue: events of nobody, on their way to the dead letters',
  IngestEventsDeadD95DA77C: 'AWS::SQS::Queue: dead letters',
  IngestBusDead0DF4B39F: 'AWS::SQS::Queue: dead letters',
  DeliveryDeliveries2C16EC5C: 'AWS::SQS::Queue: deliveries that wait',
  DeliveryRetriesDD63EBB3: 'AWS::SQS::Queue: deliveries that wait',
  DeliveryDeliveriesDead7EE2C688: 'AWS::SQS::Queue: dead letters',
  DeliveryFallingEBF21BF3: 'AWS::SQS::Queue: dead letters on their way',
  DeliveryLanesDead1380250D: 'AWS::SQS::Queue: poison',
  RecoveryQueueA02E2701: 'AWS::SQS::Queue: jobs that run',
  RecoveryDead8260AE4D: 'AWS::SQS::Queue: dead letters',
};

const types = new Set(Object.values(kept).map((what) => what.split(': ')[0]));

describe.each(settings)('with the settings %j', (given) => {
  const { resources } = synthesized(given);

  it('what holds data, or is known outside, keeps its logical id', () => {
    const there = Object.entries(kept).map(([id, what]) => [
      id,
      resources.get(id)?.Type,
      what.split(': ')[0],
    ]);
    expect(there.filter(([, type, expected]) => type !== expected)).toEqual([]);
  });

  it('and nothing of these kinds is missing from the list', () => {
    const others = [...resources]
      .filter(([id, { Type }]) => types.has(Type) && !(id in kept))
      .map(([id]) => id);
    // Programs come and go with the setting.
    expect(others.filter((id) => !id.startsWith('IdentityUsersProgram'))).toEqual([]);
  });

  it.each(['AWS::KMS::Key', 'AWS::Logs::LogGroup', 'AWS::DynamoDB::Table', 'AWS::Cognito::UserPool'])(
    '%s stays when the stack goes, or when it would be replaced',
    (type) => {
      const all = [...resources.values()].filter(({ Type }) => Type === type);
      expect(all.length).toBeGreaterThan(0);
      for (const { DeletionPolicy, UpdateReplacePolicy } of all) {
        expect(DeletionPolicy).toMatch(/^Retain/);
        expect(UpdateReplacePolicy).toBe('Retain');
      }
    },
  );

  // What is kept holds nothing while the stack is made for the first time: left behind, it would cost, and be in the way.
  it('of a creation that is rolled back nothing is left, but what is protected, which a rollback could not delete', () => {
    const left = [...resources.values()].filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain');
    expect(left.map(({ Type }) => Type).toSorted()).toEqual([
      'AWS::Cognito::UserPool',
      'AWS::DynamoDB::Table',
      'AWS::DynamoDB::Table',
    ]);
  });

  it('a stack of the same stage can be made again: what stays behind has no name that the next one would need', () => {
    const named = [...resources.values()].filter(
      ({ DeletionPolicy, Properties }) =>
        DeletionPolicy?.startsWith('Retain') === true &&
        ['TableName', 'LogGroupName', 'UserPoolName'].some((name) => typeof Properties[name] === 'string'),
    );
    expect(named).toEqual([]);
  });

  it('tables and users cannot be deleted by mistake', () => {
    const protection = [...resources.values()].flatMap(({ Type, Properties }) => {
      if (Type === 'AWS::DynamoDB::Table') return [Properties['DeletionProtectionEnabled']];
      return Type === 'AWS::Cognito::UserPool' ? [Properties['DeletionProtection']] : [];
    });
    expect(protection.toSorted()).toEqual(['ACTIVE', true, true]);
  });
});
