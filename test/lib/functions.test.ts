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
import { nameOf, withoutHash } from './synthesized.ts';
import { mappings, named, ofType, stack } from './the-stack.ts';

const { text } = stack;

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
    // A person's sign-in leads back to his own machine (`npm run sign-in`): once as a callback, once in the output.
    const others = text.replaceAll(/http(:\/\/|%3A%2F%2F)localhost(:|%3A)17417/g, '');
    expect(others).not.toMatch(/local.?receivers|loopback|localhost/i);
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

function mapped(maximumConcurrency: number, batchSize = 10): unknown {
  return expect.objectContaining({
    BatchSize: batchSize,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: maximumConcurrency },
  });
}

function variablesOf(name: string): Record<string, unknown> {
  const { Environment } = named(name).Properties;
  return z.looseObject({ Variables: z.record(z.string(), z.unknown()) }).parse(Environment).Variables;
}
