import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { denied, grantsIn, policyOf } from './grants.ts';
import { synthesized, withoutHash } from './synthesized.ts';

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
    const key =
      'arn:AWS::Partition:kms:AWS::Region:AWS::AccountId:key/* if aws:ResourceTag/tidings:stage=prod';
    expect(new Set(wild)).toEqual(
      new Set([
        'arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:tidings/prod/*',
        `${key}, kms:SigningAlgorithm=ECDSA_SHA_256|RSASSA_PKCS1_V1_5_SHA_256, kms:MessageType=DIGEST`,
        key,
        '*',
        '* if aws:RequestTag/tidings:stage=prod, kms:KeyUsage=SIGN_VERIFY',
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
