import { describe, expect, it } from 'vitest';
import { synthesized, withoutHash } from './synthesized.ts';

const idsOf = (settings: Record<string, string>, type: string) =>
  [...synthesized(settings).resources].filter(([, { Type }]) => Type === type).map(([id]) => withoutHash(id));

describe('console=false', () => {
  const settings = { console: 'false', programs: 'org_1,operator' };

  it('leaves the user pool to programs: no client and no pages for a browser, no sign-in page to name', () => {
    expect(idsOf({ programs: 'org_1,operator' }, 'AWS::Cognito::UserPoolClient')).toHaveLength(3);
    expect(idsOf(settings, 'AWS::Cognito::UserPoolClient')).toHaveLength(2);
    expect(idsOf(settings, 'AWS::Cognito::ManagedLoginBranding')).toEqual([]);
    const outputs = synthesized(settings).template.findOutputs('*');
    expect(Object.keys(outputs)).toEqual(expect.arrayContaining(['TokenUrl', 'Programs', 'UserPoolId']));
    expect(Object.keys(outputs)).not.toContain('SignInUrl');
    expect(Object.keys(outputs)).not.toContain('TokenAudience');
  });

  it('keeps the pool and its users, so that it can be switched on again', () => {
    expect(idsOf(settings, 'AWS::Cognito::UserPool')).toEqual(['IdentityUsers']);
  });

  it.each([
    ['no programs, since nobody could come in', { console: 'false' }],
    ['consoleUrls, which nobody would come back to', { ...settings, consoleUrls: 'https://a.example' }],
  ])('is refused with %s', (_what, wrong) => {
    expect(() => synthesized(wrong)).toThrow('console=false leaves the user pool to programs');
  });

  it('goes with an issuer of one’s own, which has its own console or none', () => {
    const own = { console: 'false', issuer: 'https://login.example.com', audience: 'tidings' };
    expect(() => synthesized(own)).not.toThrow();
  });
});
