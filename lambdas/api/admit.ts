import { accessOf } from '../organization/organization.ts';
import type { Organization } from '../organization/organization.ts';
import { Forbidden, InsufficientScope, NotFound } from '../shared/errors.ts';
import { organizationId as organizationIdOf } from '../shared/identifier.ts';
import type { Caller, Route } from '../shared/route.ts';

export interface AdmitPorts {
  readonly getOrganization: (id: string) => Promise<Organization | undefined>;
}

/**
 * Lets a caller through to an operation, or refuses. Whose organization it is comes first, so that another
 * organization's id is answered exactly as one that does not exist, whatever the scopes.
 *
 * @throws NotFound for a foreign or missing organization, Forbidden for a missing scope or plan.
 */
export async function admit(
  { getOrganization }: AdmitPorts,
  route: Pick<Route, 'scope' | 'entitlement'>,
  { caller, organizationId }: { caller: Caller; organizationId: string | undefined },
): Promise<void> {
  if (route.scope === 'public') return;
  const isOperator = caller.scopes.has('webhooks:operate');
  if (organizationId !== undefined && !isOperator && caller.organizationId !== organizationId) {
    throw new NotFound('organization');
  }
  if (!caller.scopes.has(route.scope)) {
    throw new InsufficientScope(route.scope);
  }
  if (organizationId === undefined || route.entitlement === 'none') return;
  // What is no id is not asked for: a key of DynamoDB has a length, too.
  const isId = organizationIdOf.safeParse(organizationId).success;
  const organization = isId ? await getOrganization(organizationId) : undefined;
  if (organization === undefined) throw new NotFound('organization');
  const access = accessOf(organization);
  if (access === 'full' || (access === 'read' && route.entitlement === 'read')) return;
  throw new Forbidden(
    'enterprise_plan_required',
    'Webhooks belong to the enterprise plan or to the webhooks add-on. Ask your account manager to add them.',
  );
}
