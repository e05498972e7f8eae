import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { nameOf, readSettings } from '../../lib/settings.ts';

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
