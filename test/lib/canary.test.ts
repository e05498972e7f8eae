import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { receiveEnv } from '../../lambdas/endpoint/canary/receive/env.ts';
import { sendEnv } from '../../lambdas/endpoint/canary/send/env.ts';
import { grantsIn } from './grants.ts';
import { nameOf, synthesized, withoutHash } from './synthesized.ts';

const { resources } = synthesized({ canary: 'true' });
const environment = z.looseObject({ Variables: z.record(z.string(), z.unknown()) });

describe('the canary', () => {
  it.each([
    ['CanaryCanarySend', sendEnv],
    ['CanaryCanaryReceive', receiveEnv],
  ])('%s is told what it reads and nothing else', (name, env) => {
    const [, one] = [...resources].find(([id]) => withoutHash(id) === name) ?? [];
    const read = [...Object.keys(env.shape), 'POWERTOOLS_SERVICE_NAME', 'UV_THREADPOOL_SIZE'];
    const { Variables } = environment.parse(one?.Properties['Environment']);
    expect(Object.keys(Variables).toSorted()).toEqual(read.toSorted());
  });

  it('touches its own organization only', () => {
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

  it('alone has a URL, and only with the setting', () => {
    const urlsOf = (all: typeof resources) =>
      [...all.values()]
        .filter(({ Type }) => Type === 'AWS::Lambda::Url')
        .map(({ Properties }) => nameOf(Properties['TargetFunctionArn']));
    expect(urlsOf(resources)).toEqual(['CanaryCanaryReceive']);
    expect(urlsOf(synthesized().resources)).toEqual([]);
  });
});
