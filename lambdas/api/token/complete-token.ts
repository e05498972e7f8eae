import type { Organization } from '../../organization/organization.ts';
import { nameOfFault } from '../../shared/log.ts';
import type { Log } from '../../shared/log.ts';
import { holderOf, overridesFor, tokenRequest } from './claims.ts';

export interface CompleteTokenPorts {
  readonly getOrganization: (id: string) => Promise<Organization | undefined>;
  readonly organizationClaim: string;
  readonly log: Log;
}

/**
 * Has Cognito write into a token whose it is and what it may. The plan is there for whoever shows it, and is as old
 * as the token: the API asks the table. So a table that cannot be read keeps nobody from signing in.
 *
 * @param event Cognito's event before the generation of tokens, version 3.
 * @returns the same event with its `response`.
 * @throws ZodError for an event of another shape: Cognito then issues no token.
 */
export async function completeToken(ports: CompleteTokenPorts, event: unknown): Promise<unknown> {
  const parsed = tokenRequest.parse(event);
  const holder = holderOf(parsed);
  const organization = await organizationOf(ports, holder.organizationId);
  return {
    ...parsed,
    response: {
      claimsAndScopeOverrideDetails: overridesFor(holder, organization, ports.organizationClaim),
    },
  };
}

async function organizationOf(
  { getOrganization, log }: CompleteTokenPorts,
  id: string | undefined,
): Promise<Organization | undefined> {
  if (id === undefined) return undefined;
  try {
    return await getOrganization(id);
  } catch (error) {
    log('token.plan_unread', { organizationId: id, error: nameOfFault(error) });
    return undefined;
  }
}
