import type { Organization } from '../../lambdas/organization/organization.ts';

const at = '2026-11-01T00:00:00.000Z';

/** An entitled organization; an event, an endpoint and a message belong to it unless they say otherwise. */
export function anOrganization(given: Partial<Organization> = {}): Organization {
  return { id: 'org_1', plan: 'enterprise', addOns: [], policy: {}, createdAt: at, updatedAt: at, ...given };
}
