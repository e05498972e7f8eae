import { Match } from 'aws-cdk-lib/assertions';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { executionsMax } from '../../lib/api-bounds.ts';
import { nameOf, synthesized, withoutHash } from './synthesized.ts';
import { named, ofType, stack, tokensOf } from './the-stack.ts';

const lambdas = join(import.meta.dirname, '..', '..', 'lambdas');
const { template } = stack;

describe('the API', () => {
  it('asks every route below /v1 for a token, but for the public keys and the description', () => {
    const routes = ofType('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => {
      const { RouteKey, AuthorizationType, AuthorizerId } = Properties;
      return [RouteKey, AuthorizationType, AuthorizerId === undefined ? undefined : nameOf(AuthorizerId)];
    });
    expect(routes).toEqual([
      ['ANY /v1/{proxy+}', 'JWT', 'ApiHttpTokens'],
      ['GET /v1/organizations/{organizationId}/.well-known/jwks.json', 'NONE', undefined],
      ['HEAD /v1/organizations/{organizationId}/.well-known/jwks.json', 'NONE', undefined],
      ['GET /openapi.json', 'NONE', undefined],
      ['GET /reference', 'NONE', undefined],
      ['POST /v1/organizations/{organizationId}/endpoints/{endpointId}/test', 'JWT', 'ApiHttpTokens'],
      // Answers that there is nothing.
      ['$default', 'NONE', undefined],
    ]);
  });

  it('has an operation for each public route, and no other is public in the code', () => {
    const isPublic = (file: string) =>
      readFileSync(join(lambdas, file), 'utf8').match(/scope: 'public',/g)?.length;
    const files = globSync('**/{routes,*-routes}.ts', { cwd: lambdas });
    const found = files.map((file) => [file, isPublic(file)]).filter(([, count]) => count !== undefined);
    expect(found.toSorted()).toEqual([
      ['api/document-routes.ts', 2],
      ['signing/routes.ts', 1],
    ]);
  });

  it('takes tokens of the stack’s own user pool, for its own client', () => {
    const { issuer, audience } = tokensOf(stack.resources);
    expect(issuer).toBe('https://cognito-idp.AWS::Region.amazonaws.com/IdentityUsers');
    expect(audience).toEqual(['IdentityUsersConsole']);
  });

  it('lets nobody make an account, and asks for a second factor', () => {
    template.hasResourceProperties('AWS::Cognito::UserPool', {
      AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
      MfaConfiguration: 'ON',
      EnabledMfas: ['SOFTWARE_TOKEN_MFA'],
    });
  });

  it('has each token of the pool completed by a function, programs’ too', () => {
    const [[, pool] = []] = ofType('AWS::Cognito::UserPool');
    const { LambdaConfig } = z
      .looseObject({
        LambdaConfig: z.strictObject({
          PreTokenGenerationConfig: z.strictObject({ LambdaArn: z.unknown(), LambdaVersion: z.string() }),
        }),
      })
      .parse(pool?.Properties);
    expect(nameOf(LambdaConfig.PreTokenGenerationConfig.LambdaArn)).toBe('IdentityToken');
    expect(LambdaConfig.PreTokenGenerationConfig.LambdaVersion).toBe('V3_0');
    // Version 3 belongs to this plan, and programs are asked about by version 3 alone.
    expect(pool?.Properties['UserPoolTier']).toBe('ESSENTIALS');
  });

  it('lets a user write neither his organization nor his groups', () => {
    const [[, client] = []] = ofType('AWS::Cognito::UserPoolClient');
    expect(client?.Properties['WriteAttributes']).toEqual(['email']);
    expect(client?.Properties['AllowedOAuthScopes']).toEqual(['openid', 'email']);
    expect(client?.Properties['AllowedOAuthFlows']).toEqual(['code']);
    expect(client?.Properties).not.toHaveProperty('GenerateSecret');
  });

  it('gives each program a client that may act for its organization alone', () => {
    const own = synthesized({ programs: 'org_1,operator' });
    const clients = [...own.resources.values()]
      .filter(({ Type }) => Type === 'AWS::Cognito::UserPoolClient')
      .map(({ Properties }) => Properties)
      .filter(({ ClientName }) => ClientName !== undefined);
    const scopes = clients.map(({ AllowedOAuthScopes, ClientName }) => [
      ClientName,
      z.array(z.unknown()).parse(AllowedOAuthScopes).map(nameOf),
    ]);
    expect(Object.fromEntries(scopes)).toEqual({
      org_1: [
        'IdentityUsersWebhooks/read',
        'IdentityUsersWebhooks/write',
        'IdentityUsersOrganizations/org_1',
      ],
      operator: [
        'IdentityUsersWebhooks/read',
        'IdentityUsersWebhooks/write',
        'IdentityUsersWebhooks/operate',
      ],
    });
    for (const client of clients) {
      expect(client).toMatchObject({
        GenerateSecret: true,
        AllowedOAuthFlows: ['client_credentials'],
        // Nobody signs in by it, and nothing of a user is changed by it: Cognito's defaults let both.
        ExplicitAuthFlows: ['ALLOW_REFRESH_TOKEN_AUTH'],
        WriteAttributes: ['email'],
        PreventUserExistenceErrors: 'ENABLED',
      });
    }
    expect(tokensOf(own.resources).audience).toHaveLength(3);
  });

  it('has an access log', () => {
    template.hasResourceProperties('AWS::ApiGatewayV2::Stage', {
      StageName: '$default',
      AccessLogSettings: { DestinationArn: Match.anyValue() },
    });
  });

  /** How many requests each route lets through, by its key. */
  const throttlesIn = ({ resources: all }: Pick<typeof stack, 'resources'>) => {
    const [own] = [...all.values()].filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Stage');
    const throttle = z.strictObject({ ThrottlingRateLimit: z.number(), ThrottlingBurstLimit: z.number() });
    return z.record(z.string(), throttle).parse(own?.Properties['RouteSettings']);
  };

  it('lets through no more than leaves deliveries their executions, though each request takes its longest', () => {
    const throttles = throttlesIn(stack);
    const keys = ofType('AWS::ApiGatewayV2::Route').map(([, route]) => route.Properties['RouteKey']);
    expect(Object.keys(throttles).toSorted()).toEqual(keys.map(String).toSorted());
    const seconds = z.number().parse(named('ApiHandler').Properties['Timeout']);
    const executions = Object.values(throttles).map(
      (one) => one.ThrottlingBurstLimit + one.ThrottlingRateLimit * seconds,
    );
    // What an account has, without what Tidings itself takes (docs/capacity.md).
    expect(executionsMax).toBe(1_000 - 270);
    expect(executions.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(executionsMax);
    expect(named('ApiHandler').Properties).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  it('is bounded by Lambda itself where executions are reserved, and lets through more', () => {
    const own = synthesized({ apiConcurrency: '100' });
    const reserved = [...own.resources].flatMap(([id, { Properties }]) =>
      'ReservedConcurrentExecutions' in Properties
        ? [[withoutHash(id), Properties['ReservedConcurrentExecutions']]]
        : [],
    );
    expect(Object.fromEntries(reserved)).toEqual({ ApiHandler: 100, TesterTest: 10 });
    expect(Object.values(throttlesIn(own))[0]).toEqual({
      ThrottlingRateLimit: 200,
      ThrottlingBurstLimit: 400,
    });
  });

  it.each(['ApiHandler', 'TesterTest'])('%s answers before the gateway gives up', (name) => {
    expect(z.number().parse(named(name).Properties['Timeout'])).toBeLessThan(30);
  });
});
