import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { denied, grantsIn, policyOf } from './grants.ts';
import { synthesized, withoutHash } from './synthesized.ts';
import { ofType, stack } from './the-stack.ts';

/** With all that may be switched on. */
const { resources } = synthesized({ canary: 'true', tracing: 'true', egressZones: '2' });

const functions = [...resources]
  .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
  .map(([id]) => withoutHash(id));

/** Resources with a wildcard, and why: a new line here is a decision. */
const wildcards: readonly (readonly [RegExp, string])[] = [
  [/:secret:tidings\/prod\/(tidings-canary\/)?\*$/, 'made while the product runs, below a prefix of its own'],
  [/:kms:.*:key\/\* if aws:ResourceTag\/tidings:stage=prod/, 'made while the product runs, known by a tag'],
  [/^\* if aws:RequestTag\/tidings:stage=prod, kms:KeyUsage=SIGN_VERIFY$/, 'a key to be made has no ARN yet'],
  [
    /:kms:.*:key\/\* if aws:RequestTag\/tidings:stage=prod, .*StringEqualsIfExists kms:KeyUsage=SIGN_VERIFY, StringEqualsIfExists aws:ResourceTag\/tidings:stage=prod$/,
    'a key to be tagged as it is made; one that is there must be of ours already, or of none and sign',
  ],
  [
    /:kms:.*:key\/\* if StringEqualsIfExists kms:KeyUsage=SIGN_VERIFY$/,
    'public halves are no secret, and the tag of a new key does not count yet',
  ],
];
/** Actions that take no resource (Service Authorization Reference). */
const withoutResource = [
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'tag:GetResources',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** Actions that a function is granted, by resource. */
const grantsOf = (name: string, all = resources) =>
  Object.entries(grantsIn(all, name)).filter(([resource]) => !resource.startsWith(denied));

/** Functions that may do something, on a resource if one is named. */
function whoMay(action: string, on = ''): string[] {
  return functions.filter((name) =>
    grantsOf(name).some(([resource, actions]) => resource.startsWith(on) && actions.includes(action)),
  );
}

const serviceOfAws = z.strictObject({ Service: z.string().regex(/\.amazonaws\.com$/) });

describe('least privilege', () => {
  it.each(functions)('%s has no wildcard without a written reason', (name) => {
    for (const [resource, actions] of grantsOf(name)) {
      for (const action of actions) expect(action).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
      if (!resource.includes('*')) continue;
      const isReasoned = wildcards.some(([pattern]) => pattern.test(resource));
      if (!isReasoned) expect(withoutResource).toEqual(expect.arrayContaining(actions));
    }
  });

  it('with everything at its default, the resources with a wildcard are these', () => {
    const all = synthesized().resources;
    const wild = functions
      .filter((name) => !name.startsWith('Canary'))
      .flatMap((name) => grantsOf(name, all).map(([resource]) => resource))
      .filter((resource) => resource.includes('*'));
    const keys = 'arn:AWS::Partition:kms:AWS::Region:AWS::AccountId:key/*';
    const key = `${keys} if aws:ResourceTag/tidings:stage=prod`;
    const tagging = `${keys} if aws:RequestTag/tidings:stage=prod, ForAllValues:StringEquals aws:TagKeys=tidings:stage|tidings:organization, StringEqualsIfExists kms:KeyUsage=SIGN_VERIFY, StringEqualsIfExists aws:ResourceTag/tidings:stage=prod`;
    const publicHalf = `${keys} if StringEqualsIfExists kms:KeyUsage=SIGN_VERIFY`;
    expect(new Set(wild)).toEqual(
      new Set([
        'arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:tidings/prod/*',
        `${key}, kms:SigningAlgorithm=ECDSA_SHA_256|RSASSA_PKCS1_V1_5_SHA_256, kms:MessageType=DIGEST`,
        key,
        '*',
        '* if aws:RequestTag/tidings:stage=prod, kms:KeyUsage=SIGN_VERIFY',
        tagging,
        publicHalf,
      ]),
    );
  });

  it('the API can neither sign nor read what a secret holds, and puts nothing on the queue of deliveries', () => {
    const grants = Object.fromEntries(grantsOf('ApiHandler'));
    const actions = Object.values(grants).flat();
    expect(actions).not.toContain('kms:Sign');
    expect(actions.filter((action) => /^secretsmanager:.*(Get|List|Describe)/.test(action))).toEqual([]);
    expect(grants).not.toHaveProperty('DeliveryDeliveries');
  });

  it.each([
    ['DeliveryDeliver', ['dynamodb:BatchGetItem', 'dynamodb:Query']],
    ['RecoveryRecover', ['dynamodb:BatchGetItem']],
    ['TesterTest', ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query']],
    ['RoutingRoute', ['dynamodb:BatchGetItem', 'dynamodb:Query']],
  ])('%s reads the configuration, and changes nothing of it', (name, reading) => {
    const onConfiguration = grantsOf(name).filter(([resource]) => resource.startsWith('StorageConfig'));
    expect(onConfiguration).toEqual([['StorageConfig', reading]]);
  });

  it('who writes secrets reads none, and only who sends or receives does', () => {
    expect(whoMay('kms:Sign')).toEqual(['DeliveryDeliver', 'TesterTest']);
    expect(whoMay('secretsmanager:GetSecretValue')).toEqual([
      'DeliveryDeliver',
      'TesterTest',
      'CanaryCanaryReceive',
    ]);
    expect(whoMay('secretsmanager:PutSecretValue')).toEqual(['ApiHandler', 'CanaryCanarySend']);
    expect(whoMay('dynamodb:PutItem', 'StorageConfig')).toEqual(['ApiHandler', 'CanaryCanarySend']);
    expect(whoMay('kms:ScheduleKeyDeletion')).toEqual(['ExpiryWarn']);
    expect(whoMay('dynamodb:Scan')).toEqual([]);
  });

  it('nobody outside the account may do anything: whoever is trusted by name is a service of AWS', () => {
    const allowed = [...resources.values()]
      .filter(({ Type }) => /^AWS::(SQS::QueuePolicy|SNS::TopicPolicy|Events::EventBusPolicy)$/.test(Type))
      .flatMap(policyOf)
      .filter(({ Effect }) => Effect === 'Allow');
    expect(allowed.length).toBeGreaterThan(0);
    for (const { Principal } of allowed) expect(() => serviceOfAws.parse(Principal)).not.toThrow();
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
  // Of a key to be made nothing is known; of one that is there, that it signs and is nobody else's.
  const tagging = `${keys} if aws:RequestTag/tidings:stage=prod, ForAllValues:StringEquals aws:TagKeys=tidings:stage|tidings:organization, StringEqualsIfExists kms:KeyUsage=SIGN_VERIFY, StringEqualsIfExists aws:ResourceTag/tidings:stage=prod`;
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
        'StorageLedger/index/byStatus': ['dynamodb:Query'],
        DeliveryRetries: ['sqs:SendMessage'],
        RecoveryQueue: ['sqs:SendMessage'],
        IngestBus: ['events:PutEvents'],
        [secrets]: [
          'secretsmanager:CreateSecret',
          'secretsmanager:DeleteSecret',
          'secretsmanager:PutSecretValue',
          'secretsmanager:UpdateSecretVersionStage',
        ],
        StorageKey: encrypt,
        '* if aws:RequestTag/tidings:stage=prod, kms:KeyUsage=SIGN_VERIFY': ['kms:CreateKey'],
        [tagging]: ['kms:TagResource'],
        [`${keys} if StringEqualsIfExists kms:KeyUsage=SIGN_VERIFY`]: ['kms:GetPublicKey'],
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
    expect(grantsIn(stack.resources, name)).toEqual(promised);
  });

  it('every function has a role of its own, taken on by Lambda alone', () => {
    const roles = ofType('AWS::IAM::Role');
    const own = ofType('AWS::Lambda::Function').map(([id]) => `${withoutHash(id)}Role`);
    expect(roles.map(([id]) => withoutHash(id)).toSorted()).toEqual(own.toSorted());
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
        .filter((name) => Object.values(grantsIn(stack.resources, name)).flat().includes(action));
    expect(mayBy('kms:Sign').toSorted()).toEqual(['DeliveryDeliver', 'TesterTest']);
    expect(mayBy('kms:CreateKey')).toEqual(['ApiHandler']);
    expect(mayBy('kms:ScheduleKeyDeletion')).toEqual(['ExpiryWarn']);
    expect(mayBy('tag:GetResources')).toEqual(['ExpiryWarn']);
  });
});
