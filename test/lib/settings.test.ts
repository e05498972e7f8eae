import { App } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { nameOf, readSettings } from '../../lib/settings.ts';
import { synthesized } from './synthesized.ts';
import { ofType, stack, tokensOf } from './the-stack.ts';

function read(context: Readonly<Record<string, unknown>> = {}) {
  return readSettings(new App({ context }).node);
}

describe('settings', () => {
  it('that are on or off say what they take', () => {
    expect(() => read({ canary: 'perhaps' })).toThrow('true or false');
  });

  it('all have a default that works', () => {
    expect(read()).toEqual({
      stage: 'prod',
      retentionDays: 30,
      requestsPerMinute: 3_000,
      apiConcurrency: 0,
      endpointsPerOrganization: 1_000,
      receiverPorts: '443,8443',
      nat64: false,
      organizationClaim: 'organizationId',
      scopeClaim: 'scope',
      eventSchemas: 'warn',
      tracing: false,
      egressZones: 0,
      archiveDays: 0,
      canary: false,
      console: true,
      programs: '',
      consoleUrls: '',
    });
  });

  it('are read as the command line gives them, which is always text', () => {
    expect(read({ stage: 'dev-2', retentionDays: '7', organizationClaim: 'org' })).toMatchObject({
      stage: 'dev-2',
      retentionDays: 7,
      organizationClaim: 'org',
    });
  });

  it('take an issuer with its audience', () => {
    const own = { issuer: 'https://id.acme.example/', audience: 'tidings' };
    expect(read(own)).toMatchObject(own);
  });

  it.each([
    ['stage', 'Prod'],
    ['stage', ''],
    ['stage', 'a'.repeat(17)],
    ['stage', 'a/b'],
    ['stage', '-a'],
    ['retentionDays', '1'],
    ['retentionDays', '366'],
    ['retentionDays', '7.5'],
    ['retentionDays', 'a week'],
    ['retentionDays', ''],
    ['organizationClaim', ''],
    ['programs', 'org_1,org_1'],
    ['programs', 'org 1'],
    // One more than an authorizer takes beside the console.
    ['programs', Array.from({ length: 50 }, (_, n) => `org_${n}`).join(',')],
    ['consoleUrls', 'http://console.acme.example'],
    ['consoleUrls', 'https://console.acme.example,nonsense'],
    ['nat64', 'yes'],
    ['eventSchemas', 'off'],
    ['tracing', 'yes'],
    ['egressZones', '3'],
    ['canary', 'perhaps'],
    ['console', 'off'],
    ['archiveDays', '-1'],
    ['receiverPorts', ''],
    ['receiverPorts', '443;8443'],
    ['receiverPorts', '443,'],
    ['receiverPorts', 'https'],
    // The functions refuse these when they start: a deployment would succeed, and nothing in it would run.
    ['receiverPorts', '0'],
    ['receiverPorts', '443,70000'],
  ])('%s=%s is refused, and the setting is named', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(/^Settings of Tidings are wrong\.\n/);
    expect(() => read({ [name]: value })).toThrow(`at ${name}`);
  });

  it.each(['http://id.acme.example/', 'id.acme.example', ''])(
    'issuer=%s is refused, and the setting is named',
    (issuer) => {
      expect(() => read({ issuer, audience: 'tidings' })).toThrow('at issuer');
    },
  );

  it.each([{ issuer: 'https://id.acme.example/' }, { audience: 'tidings' }])(
    'one of issuer and audience without the other is refused: %j',
    (context) => {
      expect(() => read(context)).toThrow('issuer and audience go together');
    },
  );

  // https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain-prefix.html
  it.each(['aws', 'my-aws-2', 'cognito', 'amazon'])(
    'stage=%s is refused with Cognito’s own words for its domain, and taken with an issuer of one’s own',
    (stage) => {
      expect(() => read({ stage })).toThrow(/no name with aws, amazon or cognito[^]*at stage/);
      expect(read({ stage, issuer: 'https://id.acme.example/', audience: 'tidings' })).toMatchObject({
        stage,
      });
    },
  );

  it.each([{ programs: 'org_1' }, { consoleUrls: 'https://console.acme.example' }])(
    'what belongs to the user pool is refused beside an issuer: %j',
    (context) => {
      const own = { issuer: 'https://id.acme.example/', audience: 'tidings' };
      expect(() => read({ ...own, ...context })).toThrow('belong to the user pool');
    },
  );

  it('another claim of scopes goes with an issuer', () => {
    const own = { issuer: 'https://id.acme.example/', audience: 'tidings' };
    expect(read({ ...own, scopeClaim: 'scp' })).toMatchObject({ scopeClaim: 'scp' });
    expect(() => read({ scopeClaim: 'scp' })).toThrow('scopeClaim goes with an issuer');
  });

  it('name everything that is wrong at once', () => {
    expect(() => read({ stage: 'Prod', retentionDays: '1' })).toThrow(/stage[^]*retentionDays/);
  });

  it('that Tidings does not know belong to somebody else', () => {
    expect(read({ '@aws-cdk/core:newStyleStackSynthesis': true })).toEqual(read());
  });
});

describe('nameOf', () => {
  it.each([
    ['prod', undefined, 'tidings'],
    ['prod', 'events', 'tidings-events'],
    ['dev', undefined, 'tidings-dev'],
    ['dev', 'events', 'tidings-dev-events'],
  ])('in stage %s, %s is %s', (stage, part, expected) => {
    expect(nameOf(stage, part)).toBe(expected);
  });
});

describe('a stack with settings of its own', () => {
  const { template, resources } = stack;

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
