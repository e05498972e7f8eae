import { describe, expect, it } from 'vitest';
import { holderOf, tokenRequest } from '../../../../lambdas/api/token/claims.ts';
import { completeToken } from '../../../../lambdas/api/token/complete-token.ts';
import type { CompleteTokenPorts } from '../../../../lambdas/api/token/complete-token.ts';

const reading = ['webhooks:read'];
const managing = [...reading, 'webhooks:write'];
const operating = [...managing, 'webhooks:operate'];

function aUser(given: { attributes?: object; groups?: string[]; scopes?: string[] }) {
  return {
    version: '3',
    triggerSource: 'TokenGeneration_HostedAuth',
    userPoolId: 'eu-central-1_pool',
    request: {
      userAttributes: { sub: 'user-1', ...given.attributes },
      groupConfiguration: { groupsToOverride: given.groups ?? [], preferredRole: null },
      scopes: given.scopes ?? ['openid'],
      clientMetadata: { organizationId: 'org_other', 'custom:organizationId': 'org_other' },
    },
    response: { claimsAndScopeOverrideDetails: null },
  };
}

function aProgram(scopes: string[]) {
  return {
    version: '3',
    triggerSource: 'TokenGeneration_ClientCredentials',
    request: { scopes, clientMetadata: { organizationId: 'org_other' } },
    response: {},
  };
}

const inOrganization = { 'custom:organizationId': 'org_1' };

describe('whose token it is', () => {
  it.each([
    [
      'an administrator',
      aUser({ attributes: inOrganization, groups: ['administrators'] }),
      'org_1',
      managing,
    ],
    ['a member of no group', aUser({ attributes: inOrganization }), 'org_1', reading],
    ['a member of another group', aUser({ attributes: inOrganization, groups: ['sales'] }), 'org_1', reading],
    ['an operator', aUser({ groups: ['operators'] }), undefined, operating],
    [
      'an operator with an organization',
      aUser({ attributes: inOrganization, groups: ['operators', 'administrators'] }),
      'org_1',
      operating,
    ],
    ['an administrator of nothing', aUser({ groups: ['administrators'] }), undefined, []],
    [
      'an organization that is no id',
      aUser({ attributes: { 'custom:organizationId': 'org 1#' }, groups: ['administrators'] }),
      undefined,
      [],
    ],
    [
      'a user who asks for the scopes of programs',
      aUser({
        attributes: inOrganization,
        scopes: ['webhooks/operate', 'webhooks:operate', 'organizations/org_2'],
      }),
      'org_1',
      reading,
    ],
    ['a program', aProgram(['webhooks/read', 'webhooks/write', 'organizations/org_1']), 'org_1', managing],
    ['a program that asks for less', aProgram(['webhooks/read', 'organizations/org_1']), 'org_1', reading],
    ['a program without its organization', aProgram(['webhooks/read', 'webhooks/write']), undefined, []],
    [
      'a program of two organizations',
      aProgram(['webhooks/write', 'organizations/org_1', 'organizations/org_2']),
      undefined,
      [],
    ],
    [
      'the operator’s program',
      aProgram(['webhooks/read', 'webhooks/write', 'webhooks/operate']),
      undefined,
      operating,
    ],
    [
      'a program with scopes that are not ours',
      aProgram(['webhooks/all', 'organizations/org_1']),
      'org_1',
      [],
    ],
  ])('%s', (...[, event, organizationId, scopes]) => {
    expect(holderOf(tokenRequest.parse(event))).toEqual({ organizationId, scopes });
  });

  it('an event with nothing in it is nobody’s', () => {
    const event = { triggerSource: 'TokenGeneration_RefreshTokens', request: {} };
    expect(holderOf(tokenRequest.parse(event))).toEqual({ organizationId: undefined, scopes: [] });
  });
});

describe('what a token says', () => {
  const organization = {
    id: 'org_1',
    plan: 'starter',
    addOns: ['webhooks'],
    policy: {},
    createdAt: '2026-11-01T00:00:00.000Z',
    updatedAt: '2026-11-01T00:00:00.000Z',
  };
  const lines: unknown[] = [];
  const ports: CompleteTokenPorts = {
    getOrganization: (id) => Promise.resolve(id === 'org_1' ? organization : undefined),
    organizationClaim: 'organizationId',
    log: (message, fields) => lines.push({ message, ...fields }),
  };
  const event = aUser({ attributes: inOrganization, groups: ['administrators'] });

  it('is the organization, its plan and whether it may use webhooks, in both tokens; scopes in one', async () => {
    const claimsToAddOrOverride = { organizationId: 'org_1', plan: 'starter', entitled: true };
    expect(await completeToken(ports, event)).toEqual({
      ...event,
      response: {
        claimsAndScopeOverrideDetails: {
          idTokenGeneration: { claimsToAddOrOverride },
          accessTokenGeneration: { claimsToAddOrOverride, scopesToAdd: managing },
        },
      },
    });
  });

  it('is the organization alone where it is not known, or cannot be read: nobody is kept from signing in', async () => {
    const unreadable = {
      ...ports,
      getOrganization: () => Promise.reject(new TypeError('payload-in-a-message')),
    };
    const unknown = { ...ports, getOrganization: () => Promise.resolve(undefined) };
    const claims = { claimsToAddOrOverride: { organizationId: 'org_1' } };
    for (const either of [unreadable, unknown]) {
      expect(await completeToken(either, event)).toMatchObject({
        response: {
          claimsAndScopeOverrideDetails: { accessTokenGeneration: { ...claims, scopesToAdd: managing } },
        },
      });
    }
    expect(lines).toEqual([{ message: 'token.plan_unread', organizationId: 'org_1', error: 'TypeError' }]);
  });

  it('asks for nothing where there is no organization', async () => {
    const never = { ...ports, getOrganization: () => Promise.reject(new Error('asked')) };
    expect(await completeToken(never, aUser({ groups: ['operators'] }))).toMatchObject({
      response: {
        claimsAndScopeOverrideDetails: {
          accessTokenGeneration: { claimsToAddOrOverride: {}, scopesToAdd: operating },
        },
      },
    });
  });

  it('is called by the name that the deployment gives it', async () => {
    const named = { ...ports, organizationClaim: 'tenant' };
    expect(await completeToken(named, event)).toMatchObject({
      response: {
        claimsAndScopeOverrideDetails: {
          accessTokenGeneration: { claimsToAddOrOverride: { tenant: 'org_1' } },
        },
      },
    });
  });

  it('is nothing for an event that is none', async () => {
    await expect(completeToken(ports, { request: 'x' })).rejects.toThrow('triggerSource');
  });
});
