import { z } from 'zod';
import { isEntitled } from '../../organization/organization.ts';
import type { Organization } from '../../organization/organization.ts';
import { organizationId } from '../../shared/identifier.ts';

/**
 * What Cognito asks before it issues tokens; everything that is not read here is handed back as it came.
 *
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html
 *   (event version 3, which programs have too)
 */
export const tokenRequest = z.looseObject({
  triggerSource: z.string(),
  request: z.looseObject({
    userAttributes: z.record(z.string(), z.unknown()).nullish(),
    groupConfiguration: z.looseObject({ groupsToOverride: z.array(z.string()).nullish() }).nullish(),
    scopes: z.array(z.string()).nullish(),
  }),
});

export type TokenRequest = z.output<typeof tokenRequest>;

/** To whom a token is given, and what it may. */
export interface Holder {
  readonly organizationId: string | undefined;
  readonly scopes: readonly string[];
}

const reading = ['webhooks:read'];
const managing = [...reading, 'webhooks:write'];
const operating = [...managing, 'webhooks:operate'];

/**
 * Reads whose token it will be, from what only the platform can write: the pool's groups and the attribute
 * `custom:organizationId` for a user, the scopes of its client for a program. What a caller may choose, such as
 * `clientMetadata`, is not looked at. Who belongs to no organization, and is no operator, may do nothing.
 */
export function holderOf({ triggerSource, request }: TokenRequest): Holder {
  const holder = triggerSource === 'TokenGeneration_ClientCredentials' ? programOf(request) : userOf(request);
  const isSomebody = holder.organizationId !== undefined || holder.scopes.includes('webhooks:operate');
  return isSomebody ? holder : { organizationId: undefined, scopes: [] };
}

function userOf({ userAttributes, groupConfiguration }: TokenRequest['request']): Holder {
  const groups = groupConfiguration?.groupsToOverride ?? [];
  return {
    organizationId: idOf(userAttributes?.['custom:organizationId']),
    scopes: scopesOf(groups),
  };
}

function scopesOf(groups: readonly string[]): readonly string[] {
  if (groups.includes('operators')) return operating;
  return groups.includes('administrators') ? managing : reading;
}

/** A client holds `webhooks/<scope>`, as a resource server spells it, and `organizations/<id>` for the one it acts for. */
function programOf({ scopes }: TokenRequest['request']): Holder {
  const granted = scopes ?? [];
  const after = (prefix: string) =>
    granted.filter((scope) => scope.startsWith(prefix)).map((scope) => scope.slice(prefix.length));
  const [organization, ...others] = after('organizations/');
  return {
    // Of two it can not be said which one is meant.
    organizationId: others.length > 0 ? undefined : idOf(organization),
    scopes: operating.filter((scope) => after('webhooks/').includes(scope.replace('webhooks:', ''))),
  };
}

function idOf(value: unknown): string | undefined {
  return organizationId.safeParse(value).data;
}

/**
 * The answer to Cognito: the organization's id with its plan, in both tokens; the scopes in the access token
 * alone, since the other one is for showing a name, not for calling an API.
 *
 * @param organization As it is in the configuration; undefined when it is not there, or could not be read.
 */
export function overridesFor(
  holder: Holder,
  organization: Organization | undefined,
  organizationClaim: string,
): TokenOverrides {
  const { organizationId: id, scopes } = holder;
  const claimsToAddOrOverride = {
    ...(id === undefined ? {} : { [organizationClaim]: id }),
    ...(organization === undefined ? {} : { plan: organization.plan, entitled: isEntitled(organization) }),
  };
  return {
    idTokenGeneration: { claimsToAddOrOverride },
    accessTokenGeneration: { claimsToAddOrOverride, scopesToAdd: scopes },
  };
}

export interface TokenOverrides {
  readonly idTokenGeneration: { readonly claimsToAddOrOverride: ClaimsToAdd };
  readonly accessTokenGeneration: {
    readonly claimsToAddOrOverride: ClaimsToAdd;
    readonly scopesToAdd: readonly string[];
  };
}

type ClaimsToAdd = Readonly<Record<string, string | boolean>>;
