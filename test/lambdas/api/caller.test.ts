import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callerOf } from '../../../lambdas/api/caller.ts';

const names = { organization: 'organizationId', scope: 'scope' };

function scopesOf(claims: unknown): string[] {
  return [...callerOf(claims, names).scopes].filter((scope) => scope !== '');
}

describe('callerOf', () => {
  it('reads who calls from the claims', () => {
    const claims = { sub: 'user_5', organizationId: 'org_1', scope: 'webhooks:read webhooks:write' };
    expect(callerOf(claims, names)).toEqual({
      subject: 'user_5',
      organizationId: 'org_1',
      scopes: new Set(['webhooks:read', 'webhooks:write']),
    });
  });

  it('finds the organization in the claim that the deployment names', () => {
    const claims = { organizationId: 'org_1', 'custom:org': 'org_2' };
    expect(callerOf(claims, { ...names, organization: 'custom:org' }).organizationId).toBe('org_2');
    expect(
      callerOf(claims, { ...names, organization: 'https://acme.example/org' }).organizationId,
    ).toBeUndefined();
  });

  it.each([
    ['one scope', { scope: 'webhooks:read' }, ['webhooks:read']],
    ['several, as OAuth writes them', { scope: 'openid webhooks:read' }, ['openid', 'webhooks:read']],
    [
      'a list, as the HTTP API writes it',
      { scope: '[webhooks:read webhooks:write]' },
      ['webhooks:read', 'webhooks:write'],
    ],
    ['a list with commas', { scope: '[webhooks:read, webhooks:write]' }, ['webhooks:read', 'webhooks:write']],
    ['a real list', { scope: ['webhooks:read', 'webhooks:write'] }, ['webhooks:read', 'webhooks:write']],
    [
      'one with a comma in it, which is not two',
      { scope: 'webhooks:read,webhooks:write' },
      ['webhooks:read,webhooks:write'],
    ],
    ['the same in a list', { scope: '[openid a,b]' }, ['openid', 'a,b']],
    [
      'the same in a real list',
      { scope: ['webhooks:read,webhooks:operate'] },
      ['webhooks:read,webhooks:operate'],
    ],
    ['no other claim than the one that is named', { scp: 'webhooks:read' }, []],
    ['none', {}, []],
    ['an empty text', { scope: '' }, []],
    ['no text', { scope: 5 }, []],
    ['an object', { scope: { 'webhooks:read': true } }, []],
  ])('reads %s', (_what, claims, scopes) => {
    expect(scopesOf(claims)).toEqual(scopes);
  });

  it('finds the scopes in the claim that the deployment names, as Microsoft and Okta call it', () => {
    const { scopes } = callerOf(
      { scp: 'webhooks:read', scope: 'webhooks:operate' },
      { ...names, scope: 'scp' },
    );
    expect([...scopes]).toEqual(['webhooks:read']);
  });

  it.each([undefined, null, 'text', 5, []])('claims that are none give nobody: %j', (claims) => {
    expect(callerOf(claims, names).organizationId).toBeUndefined();
    expect(scopesOf(claims)).toEqual([]);
  });

  it.each([5, '', ['org_1'], { id: 'org_1' }, null])(
    'an organization that is no text is none: %j',
    (claim) => {
      expect(callerOf({ organizationId: claim }, names).organizationId).toBeUndefined();
    },
  );

  it('no text grants a scope that it does not spell out', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z:*,. [\]"-]{0,40}$/), (scope) => {
        fc.pre(!scope.includes('webhooks:operate'));
        expect(scopesOf({ scope })).not.toContain('webhooks:operate');
      }),
    );
  });

  it.each(['xwebhooks:operate', 'webhooks:operate-not', 'webhooks:*', 'WEBHOOKS:OPERATE'])(
    '%s is not the scope webhooks:operate',
    (scope) => {
      expect(scopesOf({ scope })).not.toContain('webhooks:operate');
    },
  );
});
