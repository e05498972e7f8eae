import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nameOf, synthesized, withoutHash } from './synthesized.ts';
import { named, stack } from './the-stack.ts';

const idsOf = (settings: Record<string, string>, type: string) =>
  [...synthesized(settings).resources].filter(([, { Type }]) => Type === type).map(([id]) => withoutHash(id));

describe('the output SignInUrl', () => {
  const { Value } = z
    .object({ Value: z.unknown() })
    .parse(stack.template.findOutputs('SignInUrl')['SignInUrl']);
  const url = new URL(nameOf(Value).replace('AWS::Region', 'eu-west-1'));
  const client = named('IdentityUsersConsole').Properties;

  it('is the sign-in page of the console’s client: a domain alone has no page', () => {
    expect(url.host).toMatch(/\.auth\..*\.amazoncognito\.com$/i);
    expect(url.pathname).toBe('/login');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: 'IdentityUsersConsole',
      redirect_uri: 'http://localhost:17417/signed-in',
      scope: 'openid email',
    });
  });

  it('leads back to what is registered, which is `npm run sign-in` until there is a console', () => {
    expect(client['CallbackURLs']).toContain(url.searchParams.get('redirect_uri'));
    expect(client['AllowedOAuthScopes']).toEqual(url.searchParams.get('scope')?.split(' '));
    const others = synthesized({ consoleUrls: 'https://console.acme.example' });
    const [, other] = [...others.resources].find(([id]) => withoutHash(id) === 'IdentityUsersConsole') ?? [];
    expect(other?.Properties['CallbackURLs']).toEqual([
      'https://console.acme.example',
      'http://localhost:17417/signed-in',
    ]);
  });
});

describe('a person who is invited', () => {
  // The default of AdminCreateUser is SMS, and a code to set a new password goes to a verified address only.
  it('gets a mail, and can be sent another: the README’s command says so', async () => {
    const readme = await readFile(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
    const [, command = ''] = /aws cognito-idp admin-create-user(.*?)\naws /s.exec(readme) ?? [];
    expect(command).toContain('--desired-delivery-mediums EMAIL');
    expect(command).toContain('Name=email_verified,Value=true');
  });

  it('recovers his account by mail: nobody has a telephone number here', () => {
    expect(named('IdentityUsers').Properties['AccountRecoverySetting']).toEqual({
      RecoveryMechanisms: [{ Name: 'verified_email', Priority: 1 }],
    });
  });
});

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
