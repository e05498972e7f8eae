import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { grantsIn, policyOf } from './grants.ts';
import { nameOf, synthesized, withoutHash } from './synthesized.ts';

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

/** Functions that may do something, on a resource if one is named. */
function whoMay(action: string, on = ''): string[] {
  return functions.filter((name) =>
    Object.entries(grantsIn(resources, name)).some(
      ([resource, actions]) => resource.startsWith(on) && actions.includes(action),
    ),
  );
}

const serviceOfAws = z.strictObject({ Service: z.string().regex(/\.amazonaws\.com$/) });

describe('least privilege', () => {
  it.each(functions)('%s has no wildcard without a written reason', (name) => {
    for (const [resource, actions] of Object.entries(grantsIn(resources, name))) {
      for (const action of actions) expect(action).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
      if (!resource.includes('*')) continue;
      const isReasoned = wildcards.some(([pattern]) => pattern.test(resource));
      if (!isReasoned) expect(withoutResource).toEqual(expect.arrayContaining(actions));
    }
  });

  it('the API can neither sign nor read what a secret holds', () => {
    const actions = Object.values(grantsIn(resources, 'ApiHandler')).flat();
    expect(actions).not.toContain('kms:Sign');
    expect(actions.filter((action) => /^secretsmanager:.*(Get|List|Describe)/.test(action))).toEqual([]);
  });

  it('who delivers and who tests reads the configuration, and changes nothing of it', () => {
    for (const name of ['DeliveryDeliver', 'TesterTest', 'RoutingRoute']) {
      const actions = Object.entries(grantsIn(resources, name))
        .filter(([resource]) => resource.startsWith('StorageConfig'))
        .flatMap(([, of]) => of);
      for (const action of actions) expect(['dynamodb:GetItem', 'dynamodb:Query']).toContain(action);
    }
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

  it('the canary touches its own organization only', () => {
    const own =
      ' if ForAllValues:StringEquals dynamodb:LeadingKeys=ORG#tidings-canary, Null dynamodb:LeadingKeys=false';
    const secrets =
      'arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:tidings/prod/tidings-canary/*';
    expect(grantsIn(resources, 'CanaryCanaryReceive')).toMatchObject({
      [`StorageConfig${own}`]: ['dynamodb:Query'],
      [secrets]: ['secretsmanager:GetSecretValue'],
    });
    expect(grantsIn(resources, 'CanaryCanarySend')).toMatchObject({
      [`StorageConfig${own}`]: [
        'dynamodb:DeleteItem',
        'dynamodb:GetItem',
        'dynamodb:PutItem',
        'dynamodb:Query',
      ],
      [secrets]: [
        'secretsmanager:CreateSecret',
        'secretsmanager:DeleteSecret',
        'secretsmanager:PutSecretValue',
      ],
      IngestBus: ['events:PutEvents'],
    });
    const tables = ['CanaryCanaryReceive', 'CanaryCanarySend'].flatMap((name) =>
      Object.keys(grantsIn(resources, name)).filter((resource) => resource.startsWith('Storage')),
    );
    expect(new Set(tables)).toEqual(new Set([`StorageConfig${own}`, 'StorageKey']));
  });

  it('only the canary’s receiver has a URL, and only with the setting', () => {
    const urlsOf = (all: typeof resources) =>
      [...all.values()]
        .filter(({ Type }) => Type === 'AWS::Lambda::Url')
        .map(({ Properties }) => nameOf(Properties['TargetFunctionArn']));
    expect(urlsOf(resources)).toEqual(['CanaryCanaryReceive']);
    expect(urlsOf(synthesized().resources)).toEqual([]);
  });
});
