import { Match } from 'aws-cdk-lib/assertions';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apiEnv } from '../../lambdas/api/env.ts';
import { deliverEnv } from '../../lambdas/delivery/env.ts';
import { expiryEnv } from '../../lambdas/endpoint/expiry/env.ts';
import { testEnv } from '../../lambdas/api/test/env.ts';
import { tokenEnv } from '../../lambdas/api/token/env.ts';
import { recoverEnv } from '../../lambdas/recovery/env.ts';
import { reconcileEnv } from '../../lambdas/recovery/reconcile/env.ts';
import { wakeEnv } from '../../lambdas/recovery/wake/env.ts';
import { tidyEnv } from '../../lambdas/recovery/tidy/env.ts';
import { holdSeconds } from '../../lambdas/recovery/tidy/tidy.ts';
import { routeEnv } from '../../lambdas/routing/env.ts';
import { grantsIn, policyOf } from './grants.ts';
import { nameOf, synthesized, withoutHash } from './synthesized.ts';
import type { Resource } from './synthesized.ts';

const lambdas = join(import.meta.dirname, '..', '..', 'lambdas');
const stack = synthesized();
const { template, resources, text } = stack;

describe('queues', () => {
  const queues = ofType('AWS::SQS::Queue');

  it('are these', () => {
    expect(
      Object.fromEntries(queues.map(([id, queue]) => [withoutHash(id), queue.Properties['QueueName']])),
    ).toEqual({
      IngestEvents: 'tidings-events',
      IngestEventsFalling: 'tidings-events-falling',
      IngestEventsDead: 'tidings-events-dead',
      IngestBusDead: 'tidings-bus-dead',
      DeliveryDeliveries: 'tidings-deliveries',
      DeliveryRetries: 'tidings-retries',
      DeliveryFalling: 'tidings-falling',
      DeliveryDeliveriesDead: 'tidings-deliveries-dead',
      DeliveryLanesDead: 'tidings-lanes-dead',
      RecoveryQueue: 'tidings-recovery',
      RecoveryDead: 'tidings-recovery-dead',
    });
  });

  it.each(queues)('%s keeps messages for 14 days, encrypted with the key of the stack', (_id, queue) => {
    expect(queue.Properties).toMatchObject({ MessageRetentionPeriod: 14 * 86_400 });
    expect(nameOf(queue.Properties['KmsMasterKeyId'])).toBe('StorageKey');
  });

  it.each(queues)('%s is spoken to over TLS only', (id) => {
    template.hasResourceProperties('AWS::SQS::QueuePolicy', {
      Queues: [{ Ref: id }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: 'sqs:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ]),
      },
    });
  });

  it.each(mappings())(
    '%s hides a message for six times the timeout of its function',
    (_id, { queue, handler }) => {
      expect(queue.Properties['VisibilityTimeout']).toBe(6 * z.number().parse(handler.Properties['Timeout']));
    },
  );

  it('what lives is received fifty times before it is given up, a recovery twenty, what is dead already three times', () => {
    expect(Object.fromEntries(queues.map(([id, queue]) => [withoutHash(id), redriveOf(queue)]))).toEqual({
      IngestEvents: '50 to IngestEventsDead',
      // Of nobody: what is received fifty times there is our own fault alone.
      IngestEventsFalling: '3 to IngestEventsDead',
      IngestEventsDead: 'never',
      IngestBusDead: 'never',
      // One for both lanes: a redrive without destination returns each message to its own.
      DeliveryDeliveries: '50 to DeliveryLanesDead',
      DeliveryRetries: '50 to DeliveryLanesDead',
      DeliveryLanesDead: 'never',
      DeliveryFalling: '3 to DeliveryDeliveriesDead',
      DeliveryDeliveriesDead: 'never',
      RecoveryQueue: '20 to RecoveryDead',
      RecoveryDead: 'never',
    });
  });

  it('only `falling` feeds the dead letters, and may have them back: a redrive to source opens new rounds there', () => {
    const feeding = queues.filter(([, queue]) => redriveOf(queue).endsWith(' to DeliveryDeliveriesDead'));
    expect(feeding.map(([id]) => withoutHash(id))).toEqual(['DeliveryFalling']);
    // Without a policy of its own a queue takes dead letters of any queue, and gives them back.
    expect(queues.filter(([, { Properties }]) => 'RedriveAllowPolicy' in Properties)).toEqual([]);
    const taken = mappings().find(([from]) => from === 'DeliveryFalling');
    expect(taken?.[1].to).toBe('DeliveryDeliver');
  });
});

describe('the bus', () => {
  const rules = ofType('AWS::Events::Rule').filter(([, rule]) => 'EventPattern' in rule.Properties);

  it('hands on every event that names an organization, but not our own operator events', () => {
    expect(rules).toHaveLength(2);
    template.hasResourceProperties('AWS::Events::Rule', {
      State: 'ENABLED',
      EventPattern: {
        source: [{ 'anything-but': ['tidings'] }],
        detail: { organizationId: [{ exists: true }] },
      },
    });
  });

  it('hands on every other event to where events of nobody fall: a misspelt organizationId left no trace', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      State: 'ENABLED',
      EventPattern: {
        source: [{ 'anything-but': ['tidings'] }],
        detail: { organizationId: [{ exists: false }] },
      },
      Targets: [Match.objectLike({ SqsParameters: { MessageGroupId: 'nobody' } })],
    });
    const [target] = targetsOf('IngestStrayRule');
    expect(nameOf(target?.Arn)).toBe('IngestEventsFalling');
    expect(nameOf(target?.DeadLetterConfig.Arn)).toBe('IngestBusDead');
  });

  const targetsOf = (name: string) => {
    const rule = rules.find(([id]) => withoutHash(id) === name);
    return z
      .array(z.looseObject({ Arn: z.unknown(), DeadLetterConfig: z.object({ Arn: z.unknown() }) }))
      .parse(rule?.[1].Properties['Targets']);
  };

  it('hands them to the queue of events, in fair groups by organization, else to a queue of its own', () => {
    const [target, ...others] = targetsOf('IngestRule');
    expect(others).toEqual([]);
    expect(nameOf(target?.Arn)).toBe('IngestEvents');
    expect(nameOf(target?.DeadLetterConfig.Arn)).toBe('IngestBusDead');
    expect(target).toMatchObject({ SqsParameters: { MessageGroupId: '$.detail.organizationId' } });
  });

  it('may use the key for the queue and for its dead letters, from this account only', () => {
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: Match.arrayWith(['kms:Decrypt', 'kms:GenerateDataKey*']),
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
  });

  it.each(['IngestEvents', 'IngestEventsFalling'])('may send to %s', (name) => {
    const allowed = ofType('AWS::SQS::QueuePolicy')
      .filter(([, policy]) =>
        z.array(z.unknown()).parse(policy.Properties['Queues']).map(nameOf).includes(name),
      )
      .flatMap(([, policy]) => policyOf(policy))
      .filter((statement) => statement.Effect === 'Allow');
    expect(allowed).toMatchObject([{ Principal: { Service: 'events.amazonaws.com' } }]);
    expect(allowed[0]?.Action).toContain('sqs:SendMessage');
    // Without a condition any account's EventBridge could.
    expect(allowed[0]?.Condition).toBeDefined();
  });
});

describe('functions', () => {
  const functions = ofType('AWS::Lambda::Function');

  it.each(functions)(
    '%s runs on Node 24 and arm64, with JSON logs and an encrypted environment',
    (_id, one) => {
      expect(one.Properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        LoggingConfig: { LogFormat: 'JSON', SystemLogLevel: 'WARN' },
      });
      expect(nameOf(one.Properties['KmsKeyArn'])).toBe('StorageKey');
    },
  );

  it('are these, and only those that send to themselves may call themselves in a circle', () => {
    const circles = functions.map(([id, one]) => [withoutHash(id), one.Properties['RecursiveLoop']]);
    expect(Object.fromEntries(circles)).toEqual({
      DeliveryDeliver: 'Allow',
      RecoveryRecover: 'Allow',
      // It sends, and a clock alone calls it.
      WaitingWake: undefined,
      RoutingRoute: undefined,
      ApiHandler: undefined,
      TesterTest: undefined,
      IdentityToken: undefined,
      ExpiryWarn: undefined,
      UpkeepTidy: undefined,
      UpkeepReconcile: undefined,
    });
  });

  it('take messages in batches, each failing for itself, and never more than the cap at once', () => {
    const taken = mappings().map(
      ([, { from, to, mapping }]) => [`${from} to ${to}`, mapping.Properties] as const,
    );
    expect(Object.fromEntries(taken)).toEqual({
      'IngestEvents to RoutingRoute': mapped(50),
      'IngestEventsFalling to RoutingRoute': mapped(2),
      'DeliveryDeliveries to DeliveryDeliver': mapped(100),
      'DeliveryRetries to DeliveryDeliver': mapped(100),
      'DeliveryFalling to DeliveryDeliver': mapped(2),
      // A job at a time, and few jobs at once.
      'RecoveryQueue to RecoveryRecover': mapped(10, 1),
    });
  });

  it('never lose a message to a filter', () => {
    expect(text).not.toContain('FilterCriteria');
  });

  it.each([
    ['DeliveryDeliver', deliverEnv],
    ['RecoveryRecover', recoverEnv],
    ['RoutingRoute', routeEnv],
    ['ApiHandler', apiEnv],
    ['TesterTest', testEnv],
    ['IdentityToken', tokenEnv],
    ['ExpiryWarn', expiryEnv],
    ['UpkeepTidy', tidyEnv],
    ['UpkeepReconcile', reconcileEnv],
    ['WaitingWake', wakeEnv],
  ])('%s is told what it reads and nothing else, so nothing can switch local receivers on', (name, env) => {
    const read = [...Object.keys(env.shape), 'POWERTOOLS_SERVICE_NAME', 'UV_THREADPOOL_SIZE'];
    expect(Object.keys(variablesOf(name)).toSorted()).toEqual(read.toSorted());
  });

  it.each(['DeliveryDeliver', 'ApiHandler', 'TesterTest'])('%s refuses our own API as a receiver', (name) => {
    const { OWN_HOSTS } = variablesOf(name);
    expect(nameOf(OWN_HOSTS)).toBe('ApiHttp.execute-api.AWS::Region.AWS::URLSuffix');
  });

  it.each(['DeliveryDeliver', 'TesterTest'])('%s names our API as the issuer of its tokens', (name) => {
    expect(nameOf(variablesOf(name)['ISSUER'])).toBe(
      'https://ApiHttp.execute-api.AWS::Region.AWS::URLSuffix',
    );
  });

  it('nothing in the template speaks of local receivers', () => {
    expect(text).not.toMatch(/local.?receivers|loopback|localhost/i);
  });
});

describe('what runs by itself', () => {
  it('is this, at these intervals', () => {
    const targets = z.array(z.looseObject({ Arn: z.unknown() }));
    const rules = ofType('AWS::Events::Rule').filter(([, rule]) => 'ScheduleExpression' in rule.Properties);
    const runs = rules.flatMap(([, { Properties }]) =>
      targets
        .parse(Properties['Targets'])
        .map(({ Arn }) => [nameOf(Arn), Properties['ScheduleExpression']] as const),
    );
    expect(Object.fromEntries(runs)).toEqual({
      ExpiryWarn: 'rate(1 day)',
      UpkeepTidy: 'rate(15 minutes)',
      UpkeepReconcile: 'rate(1 hour)',
      WaitingWake: 'rate(1 minute)',
    });
  });

  it('what runs each minute takes a minute at most, and is not tried again beside the next run', () => {
    expect(z.number().parse(named('WaitingWake').Properties['Timeout'])).toBeLessThanOrEqual(60);
    const [[, invoked] = [], ...others] = ofType('AWS::Lambda::EventInvokeConfig');
    expect(others).toEqual([]);
    expect(nameOf(invoked?.Properties['FunctionName'])).toBe('WaitingWake');
    expect(invoked?.Properties).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
  });

  it('holds dead letters for longer than it can run, so that it meets none twice', () => {
    expect(holdSeconds).toBeGreaterThan(z.number().parse(named('UpkeepTidy').Properties['Timeout']));
  });
});

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
          DeletionPolicy === 'Retain' && UpdateReplacePolicy === 'Retain',
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

describe('who may touch what', () => {
  const secrets = 'arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:tidings/prod/*';
  const take = [
    'sqs:ChangeMessageVisibility',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    'sqs:GetQueueUrl',
    'sqs:ReceiveMessage',
  ];
  const write = ['logs:CreateLogStream', 'logs:PutLogEvents'];
  const encrypt = ['kms:Decrypt', 'kms:GenerateDataKey'];
  // Signing keys are made while the product runs: their tag says whose they are.
  const keys = 'arn:AWS::Partition:kms:AWS::Region:AWS::AccountId:key/*';
  const tagged = `${keys} if aws:ResourceTag/tidings:stage=prod`;
  const signed = `${tagged}, kms:SigningAlgorithm=ECDSA_SHA_256|RSASSA_PKCS1_V1_5_SHA_256, kms:MessageType=DIGEST`;

  // Nothing else is granted. A new line here is a decision.
  it.each<[string, Record<string, string[]>]>([
    [
      'DeliveryDeliver',
      {
        StorageConfig: ['dynamodb:BatchGetItem', 'dynamodb:Query'],
        StorageLedger: [
          'dynamodb:BatchGetItem',
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:UpdateItem',
        ],
        IngestBus: ['events:PutEvents'],
        DeliveryDeliveries: take,
        DeliveryRetries: [...take, 'sqs:SendMessage'],
        DeliveryFalling: [...take, 'sqs:SendMessage'],
        RecoveryQueue: ['sqs:SendMessage'],
        [secrets]: ['secretsmanager:GetSecretValue'],
        StorageKey: encrypt,
        [signed]: ['kms:Sign'],
        DeliveryDeliverLog: write,
      },
    ],
    [
      'RoutingRoute',
      {
        StorageConfig: ['dynamodb:BatchGetItem', 'dynamodb:Query'],
        StorageLedger: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PutItem'],
        IngestBus: ['events:PutEvents'],
        IngestEvents: take,
        IngestEventsFalling: [...take, 'sqs:SendMessage'].toSorted(),
        DeliveryDeliveries: ['sqs:SendMessage'],
        StorageKey: encrypt,
        RoutingRouteLog: write,
      },
    ],
    [
      'ApiHandler',
      {
        StorageConfig: [
          'dynamodb:BatchGetItem',
          'dynamodb:DeleteItem',
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:Query',
          'dynamodb:UpdateItem',
        ],
        StorageLedger: [
          'dynamodb:BatchGetItem',
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:Query',
          'dynamodb:UpdateItem',
        ],
        'StorageLedger/index/byStatus': ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'],
        DeliveryRetries: ['sqs:SendMessage'],
        RecoveryQueue: ['sqs:SendMessage'],
        IngestBus: ['events:PutEvents'],
        [secrets]: [
          'secretsmanager:CreateSecret',
          'secretsmanager:DeleteSecret',
          'secretsmanager:PutSecretValue',
          'secretsmanager:TagResource',
          'secretsmanager:UpdateSecretVersionStage',
        ],
        StorageKey: encrypt,
        '* if aws:RequestTag/tidings:stage=prod, kms:KeyUsage=SIGN_VERIFY': [
          'kms:CreateKey',
          'kms:TagResource',
        ],
        [tagged]: ['kms:GetPublicKey'],
        ApiHandlerLog: write,
      },
    ],
    [
      'RecoveryRecover',
      {
        StorageConfig: ['dynamodb:BatchGetItem'],
        StorageLedger: [
          'dynamodb:BatchGetItem',
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:Query',
          'dynamodb:UpdateItem',
        ],
        'StorageLedger/index/byStatus': ['dynamodb:Query'],
        'StorageLedger/index/waiting': ['dynamodb:Query'],
        RecoveryQueue: [...take, 'sqs:SendMessage'],
        DeliveryRetries: ['sqs:SendMessage'],
        IngestBus: ['events:PutEvents'],
        StorageKey: encrypt,
        RecoveryRecoverLog: write,
      },
    ],
    [
      'TesterTest',
      {
        StorageConfig: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'],
        StorageLedger: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
        [secrets]: ['secretsmanager:GetSecretValue'],
        StorageKey: encrypt,
        [signed]: ['kms:Sign'],
        TesterTestLog: write,
      },
    ],
    [
      'IdentityToken',
      { StorageConfig: ['dynamodb:GetItem'], StorageKey: ['kms:Decrypt'], IdentityTokenLog: write },
    ],
    [
      'ExpiryWarn',
      {
        StorageConfig: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:Query'],
        'StorageConfig/index/byList': ['dynamodb:Query'],
        StorageLedger: ['dynamodb:GetItem', 'dynamodb:PutItem'],
        IngestBus: ['events:PutEvents'],
        StorageKey: encrypt,
        [tagged]: ['kms:DescribeKey', 'kms:ScheduleKeyDeletion'],
        // It has no resource to name, and reads nothing but tags.
        '*': ['tag:GetResources'],
        ExpiryWarnLog: write,
      },
    ],
    [
      'UpkeepTidy',
      {
        StorageLedger: ['dynamodb:BatchGetItem'],
        DeliveryDeliveriesDead: ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:ReceiveMessage'],
        StorageKey: ['kms:Decrypt'],
        UpkeepTidyLog: write,
      },
    ],
    [
      'UpkeepReconcile',
      {
        'StorageConfig/index/byList': ['dynamodb:Query'],
        StorageLedger: ['dynamodb:BatchGetItem', 'dynamodb:Query'],
        'StorageLedger/index/byStatus': ['dynamodb:Query'],
        'StorageLedger/index/waiting': ['dynamodb:Query'],
        IngestBus: ['events:PutEvents'],
        StorageKey: ['kms:Decrypt'],
        UpkeepReconcileLog: write,
      },
    ],
    [
      'WaitingWake',
      {
        StorageLedger: ['dynamodb:GetItem', 'dynamodb:PutItem'],
        'StorageLedger/index/waiting': ['dynamodb:Query'],
        DeliveryRetries: ['sqs:SendMessage'],
        RecoveryQueue: ['sqs:SendMessage'],
        StorageKey: encrypt,
        WaitingWakeLog: write,
      },
    ],
  ])('%s may do exactly this', (name, promised) => {
    expect(grantsIn(resources, name)).toEqual(promised);
  });

  it('every function has a role of its own, taken on by Lambda alone', () => {
    const roles = ofType('AWS::IAM::Role');
    const functions = ofType('AWS::Lambda::Function').map(([id]) => `${withoutHash(id)}Role`);
    expect(roles.map(([id]) => withoutHash(id)).toSorted()).toEqual(functions.toSorted());
    for (const [, role] of roles) {
      expect(role.Properties).toMatchObject({
        AssumeRolePolicyDocument: { Statement: [{ Principal: { Service: 'lambda.amazonaws.com' } }] },
      });
      // A managed policy would grant what this table does not show.
      expect(role.Properties).not.toHaveProperty('ManagedPolicyArns');
      expect(role.Properties).not.toHaveProperty('Policies');
    }
  });

  it('only what sends may sign, and it makes and destroys no keys', () => {
    const mayBy = (action: string) =>
      ofType('AWS::Lambda::Function')
        .map(([id]) => withoutHash(id))
        .filter((name) => Object.values(grantsIn(resources, name)).flat().includes(action));
    expect(mayBy('kms:Sign').toSorted()).toEqual(['DeliveryDeliver', 'TesterTest']);
    expect(mayBy('kms:CreateKey')).toEqual(['ApiHandler']);
    expect(mayBy('kms:ScheduleKeyDeletion')).toEqual(['ExpiryWarn']);
    expect(mayBy('tag:GetResources')).toEqual(['ExpiryWarn']);
  });
});

describe('what is counted', () => {
  it('is every delivery that was held because nothing could be signed', () => {
    template.hasResourceProperties('AWS::Logs::MetricFilter', {
      FilterPattern: '{ ($.message = "delivery.held") && ($.code = "signing_unavailable") }',
      MetricTransformations: [
        Match.objectLike({ MetricNamespace: 'Tidings', MetricName: 'signing_unavailable', MetricValue: '1' }),
      ],
    });
    const [[, filter] = []] = ofType('AWS::Logs::MetricFilter');
    expect(nameOf(filter?.Properties['LogGroupName'])).toBe('DeliveryDeliverLog');
  });
});

describe('the API', () => {
  it('asks every route below /v1 for a token, but for the public keys and the description', () => {
    const routes = ofType('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => {
      const { RouteKey, AuthorizationType, AuthorizerId } = Properties;
      return [RouteKey, AuthorizationType, AuthorizerId === undefined ? undefined : nameOf(AuthorizerId)];
    });
    expect(routes).toEqual([
      ['ANY /v1/{proxy+}', 'JWT', 'ApiHttpTokens'],
      ['GET /v1/organizations/{organizationId}/.well-known/jwks.json', 'NONE', undefined],
      ['GET /openapi.json', 'NONE', undefined],
      ['GET /reference', 'NONE', undefined],
      ['POST /v1/organizations/{organizationId}/endpoints/{endpointId}/test', 'JWT', 'ApiHttpTokens'],
      // Answers that there is nothing.
      ['$default', 'NONE', undefined],
    ]);
  });

  it('has an operation for each public route, and no other is public in the code', () => {
    const isPublic = (file: string) =>
      readFileSync(join(lambdas, file), 'utf8').match(/scope: 'public',/g)?.length;
    const files = globSync('**/{routes,*-routes}.ts', { cwd: lambdas });
    const found = files.map((file) => [file, isPublic(file)]).filter(([, count]) => count !== undefined);
    expect(found.toSorted()).toEqual([
      ['api/document-routes.ts', 2],
      ['signing/routes.ts', 1],
    ]);
  });

  it('takes tokens of the stack’s own user pool, for its own client', () => {
    const { issuer, audience } = tokensOf(stack.resources);
    expect(issuer).toBe('https://cognito-idp.AWS::Region.amazonaws.com/IdentityUsers');
    expect(audience).toEqual(['IdentityUsersConsole']);
  });

  it('lets nobody make an account, and asks for a second factor', () => {
    template.hasResourceProperties('AWS::Cognito::UserPool', {
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      MfaConfiguration: 'ON',
      EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
    });
  });

  it('has each token of the pool completed by a function, programs’ too', () => {
    const [[, pool] = []] = ofType('AWS::Cognito::UserPool');
    const { LambdaConfig } = z
      .looseObject({
        LambdaConfig: z.strictObject({
          PreTokenGenerationConfig: z.strictObject({ LambdaArn: z.unknown(), LambdaVersion: z.string() }),
        }),
      })
      .parse(pool?.Properties);
    expect(nameOf(LambdaConfig.PreTokenGenerationConfig.LambdaArn)).toBe('IdentityToken');
    expect(LambdaConfig.PreTokenGenerationConfig.LambdaVersion).toBe('V3_0');
    // Version 3 belongs to this plan, and programs are asked about by version 3 alone.
    expect(pool?.Properties['UserPoolTier']).toBe('ESSENTIALS');
  });

  it('lets a user write neither his organization nor his groups', () => {
    const [[, client] = []] = ofType('AWS::Cognito::UserPoolClient');
    expect(client?.Properties['WriteAttributes']).toEqual(['email']);
    expect(client?.Properties['AllowedOAuthScopes']).toEqual(['openid', 'email']);
    expect(client?.Properties['AllowedOAuthFlows']).toEqual(['code']);
    expect(client?.Properties).not.toHaveProperty('GenerateSecret');
  });

  it('gives each program a client that may act for its organization alone', () => {
    const own = synthesized({ programs: 'org_1,operator' });
    const clients = [...own.resources.values()]
      .filter(({ Type }) => Type === 'AWS::Cognito::UserPoolClient')
      .map(({ Properties }) => Properties)
      .filter(({ ClientName }) => ClientName !== undefined);
    const scopes = clients.map(({ AllowedOAuthScopes, ClientName }) => [
      ClientName,
      z.array(z.unknown()).parse(AllowedOAuthScopes).map(nameOf),
    ]);
    expect(Object.fromEntries(scopes)).toEqual({
      org_1: [
        'IdentityUsersWebhooks/read',
        'IdentityUsersWebhooks/write',
        'IdentityUsersOrganizations/org_1',
      ],
      operator: [
        'IdentityUsersWebhooks/read',
        'IdentityUsersWebhooks/write',
        'IdentityUsersWebhooks/operate',
      ],
    });
    for (const client of clients) {
      expect(client).toMatchObject({ GenerateSecret: true, AllowedOAuthFlows: ['client_credentials'] });
    }
    expect(tokensOf(own.resources).audience).toHaveLength(3);
  });

  it('has an access log', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AccessLogSettings: { DestinationArn: Match.anyValue() },
    });
  });

  /** How many requests each route lets through, by its key. */
  const throttlesIn = ({ resources: all }: Pick<typeof stack, 'resources'>) => {
    const [own] = [...all.values()].filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Stage');
    const throttle = z.strictObject({ ThrottlingRateLimit: z.number(), ThrottlingBurstLimit: z.number() });
    return z.record(z.string(), throttle).parse(own?.Properties['RouteSettings']);
  };

  it('lets through no more than leaves deliveries their executions, though each request takes its longest', () => {
    const throttles = throttlesIn(stack);
    const keys = ofType('AWS::ApiGatewayV2::Route').map(([, route]) => route.Properties['RouteKey']);
    expect(Object.keys(throttles).toSorted()).toEqual(keys.map(String).toSorted());
    const seconds = z.number().parse(named('ApiHandler').Properties['Timeout']);
    const executions = Object.values(throttles).map(
      (one) => one.ThrottlingBurstLimit + one.ThrottlingRateLimit * seconds,
    );
    // What an account has, without what Tidings itself takes (docs/capacity.md).
    expect(executions.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(1_000 - 270);
    expect(named('ApiHandler').Properties).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  it('is bounded by Lambda itself where executions are reserved, and lets through more', () => {
    const own = synthesized({ apiConcurrency: '100' });
    const reserved = [...own.resources].flatMap(([id, { Properties }]) =>
      'ReservedConcurrentExecutions' in Properties
        ? [[withoutHash(id), Properties['ReservedConcurrentExecutions']]]
        : [],
    );
    expect(Object.fromEntries(reserved)).toEqual({ ApiHandler: 100, TesterTest: 10 });
    expect(Object.values(throttlesIn(own))[0]).toEqual({
      ThrottlingRateLimit: 200,
      ThrottlingBurstLimit: 400,
    });
  });

  it.each(['ApiHandler', 'TesterTest'])('%s answers before the gateway gives up', (name) => {
    expect(z.number().parse(named(name).Properties['Timeout'])).toBeLessThan(30);
  });
});

describe('with settings of its own', () => {
  it('tells every function that judges receivers the same ports', () => {
    const { text: own } = synthesized({ receiverPorts: '443,9443', nat64: 'true' });
    expect(own.match(/"RECEIVER_PORTS":"443,9443"/g)).toHaveLength(3);
    expect(own.match(/"NAT64":"true"/g)).toHaveLength(3);
  });

  it('names its own issuer, and makes no user pool', () => {
    const own = synthesized({ issuer: 'https://id.acme.example/', audience: 'tidings' });
    own.template.resourceCountIs('AWS::Cognito::UserPool', 0);
    own.template.resourceCountIs('AWS::Cognito::UserPoolClient', 0);
    expect(tokensOf(own.resources)).toEqual({ issuer: 'https://id.acme.example/', audience: ['tidings'] });
  });

  it('with tracing, every function of ours is recorded by X-Ray, and may do no more for it than that', () => {
    const traced = synthesized({ tracing: 'true' });
    const functions = ofType('AWS::Lambda::Function').length;
    traced.template.resourcePropertiesCountIs(
      'AWS::Lambda::Function',
      { TracingConfig: { Mode: 'Active' } },
      functions,
    );
    template.resourcePropertiesCountIs('AWS::Lambda::Function', { TracingConfig: Match.anyValue() }, 0);
    expect(traced.text.match(/"xray:PutTraceSegments"/g)).toHaveLength(functions);
    expect(traced.text.match(/"xray:\w+"/g)).toHaveLength(2 * functions);
  });

  it('another stage has other names, other secrets and the same logical ids', () => {
    const other = synthesized({
      stage: 'dev',
      retentionDays: '7',
      organizationClaim: 'custom:org',
      requestsPerMinute: '50',
      endpointsPerOrganization: '20',
      eventSchemas: 'strict',
    });
    expect(other.text.match(/"EVENT_SCHEMAS":"strict"/g)).toHaveLength(2);
    const names = [...other.resources.values()].map(
      ({ Properties }) => Properties['QueueName'] ?? Properties['Name'],
    );
    expect(names).toEqual(
      expect.arrayContaining([
        'tidings-dev',
        'tidings-dev-events',
        'tidings-dev-events-falling',
        'tidings-dev-events-dead',
        'tidings-dev-bus-dead',
        'tidings-dev-deliveries',
        'tidings-dev-retries',
        'tidings-dev-falling',
        'tidings-dev-deliveries-dead',
        'tidings-dev-lanes-dead',
        'tidings-dev-recovery',
        'tidings-dev-recovery-dead',
      ]),
    );
    expect(other.text).toContain(':secret:tidings/dev/*');
    expect(other.text).not.toContain('tidings/prod');
    expect(other.text).not.toContain('tidings:stage":"prod');
    expect([...other.resources.keys()]).toEqual([...resources.keys()]);
    for (const told of [
      '"SECRET_PREFIX":"tidings/dev"',
      '"STAGE":"dev"',
      '"aws:ResourceTag/tidings:stage":"dev"',
      '"aws:RequestTag/tidings:stage":"dev"',
      '"RETENTION_DAYS":"7"',
      '"ORGANIZATION_CLAIM":"custom:org"',
      '"REQUESTS_PER_MINUTE":"50"',
      '"ENDPOINTS_PER_ORGANIZATION":"20"',
    ]) {
      expect(other.text).toContain(told);
    }
  });
});

function ofType(type: string): [string, Resource][] {
  return [...resources].filter(([, resource]) => resource.Type === type);
}

interface Mapping {
  readonly mapping: Resource;
  readonly from: string;
  readonly to: string;
  readonly queue: Resource;
  readonly handler: Resource;
}

function mappings(): [string, Mapping][] {
  return ofType('AWS::Lambda::EventSourceMapping').map(([, mapping]) => {
    const from = nameOf(mapping.Properties['EventSourceArn']);
    const to = nameOf(mapping.Properties['FunctionName']);
    return [from, { mapping, from, to, queue: named(from), handler: named(to) }];
  });
}

function mapped(maximumConcurrency: number, batchSize = 10): unknown {
  return expect.objectContaining({
    BatchSize: batchSize,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: maximumConcurrency },
  });
}

function named(name: string): Resource {
  const [, found] = [...resources].find(([id]) => withoutHash(id) === name) ?? [];
  if (found === undefined) throw new Error(`the template has no ${name}`);
  return found;
}

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

function variablesOf(name: string): Record<string, unknown> {
  const { Environment } = named(name).Properties;
  return z.looseObject({ Variables: z.record(z.string(), z.unknown()) }).parse(Environment).Variables;
}

function redriveOf(queue: Resource): string {
  const shape = z.object({ maxReceiveCount: z.number(), deadLetterTargetArn: z.unknown() });
  const policy = shape.optional().parse(queue.Properties['RedrivePolicy']);
  return policy === undefined
    ? 'never'
    : `${policy.maxReceiveCount} to ${nameOf(policy.deadLetterTargetArn)}`;
}

function tokensOf(all: ReadonlyMap<string, Resource>): { issuer: string; audience: string[] } {
  const [authorizer, ...others] = [...all.values()].filter(
    ({ Type }) => Type === 'AWS::ApiGatewayV2::Authorizer',
  );
  expect(others).toEqual([]);
  const { JwtConfiguration } = z
    .looseObject({ JwtConfiguration: z.object({ Issuer: z.unknown(), Audience: z.array(z.unknown()) }) })
    .parse(authorizer?.Properties);
  return { issuer: nameOf(JwtConfiguration.Issuer), audience: JwtConfiguration.Audience.map(nameOf) };
}
