import { z } from 'zod';
import { isDeepStrictEqual } from 'node:util';
import type { Recipient } from '../../lambdas/delivery/decide.ts';
import { isAskedFor } from '../../lambdas/endpoint/endpoint-list.ts';
import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import type { makeEndpointStore } from '../../lambdas/endpoint/store.ts';
import type { Subscribers } from '../../lambdas/endpoint/subscribers.ts';
import type { Organization } from '../../lambdas/organization/organization.ts';
import type { makeOrganizationStore } from '../../lambdas/organization/store.ts';
import { endpointId, organizationId } from '../../lambdas/shared/identifier.ts';
import { kept } from './kept.ts';
import { pageOf } from './page.ts';
import type { Listing } from './page.ts';
import { soon } from './soon.ts';

export interface MemoryConfiguration {
  readonly organizations: ReturnType<typeof makeOrganizationStore>;
  readonly endpoints: ReturnType<typeof makeEndpointStore>;
  readonly readSubscribers: (organizationId: string) => Promise<Subscribers>;
  readonly readRecipient: (organizationId: string, endpointId: string) => Promise<Recipient>;
  /** These write over whatever there is, as nobody but a test may. */
  readonly set: (endpoint: Endpoint) => void;
  readonly setOrganization: (organization: Organization) => void;
}

/** The table `config` in memory: organizations and endpoints. */
export function memoryConfiguration(): MemoryConfiguration {
  const organizations = new Map<string, Organization>();
  const endpoints = new Map<string, Endpoint>();
  const keyOf = (organizationId: string, id: string) => `${organizationId} ${id}`;
  const find = (organizationId: string, id: string) => endpoints.get(keyOf(organizationId, id));
  const allOf = (organizationId: string) =>
    [...endpoints.values()].filter((endpoint) => endpoint.organizationId === organizationId);
  const set = (endpoint: Endpoint) => {
    endpoints.set(keyOf(endpoint.organizationId, endpoint.id), kept(endpoint));
  };
  const setOrganization = (organization: Organization) => {
    organizations.set(organization.id, kept(organization));
  };
  const getOrganization = (id: string) => Promise.resolve(organizations.get(id));
  return {
    organizations: {
      get: getOrganization,
      replace: (before, after) => {
        const there = organizations.get(after.id);
        if (there?.updatedAt !== before?.updatedAt) return Promise.resolve(isDeepStrictEqual(there, after));
        setOrganization(after);
        return Promise.resolve(true);
      },
      list: (query) => soon(() => pageOf([...organizations.values()], query, byId)),
    },
    endpoints: {
      get: (organizationId, id) => Promise.resolve(find(organizationId, id)),
      add: (added) => {
        if (find(added.organizationId, added.id)) return Promise.reject(new Error('the endpoint exists'));
        set(added);
        return Promise.resolve();
      },
      replace: (before, after) => {
        const there = find(after.organizationId, after.id);
        if (there?.updatedAt !== before.updatedAt) return Promise.resolve(isDeepStrictEqual(there, after));
        set(after);
        return Promise.resolve(true);
      },
      remove: (organizationId, id) => {
        endpoints.delete(keyOf(organizationId, id));
        return Promise.resolve();
      },
      idsNamed: (organizationId, name) =>
        soon(() =>
          allOf(organizationId)
            .filter((one) => one.name === name)
            .map(({ id }) => id),
        ),
      count: (organizationId) => soon(() => allOf(organizationId).length),
      list: (organizationId, query) =>
        soon(() => {
          const page = pageOf(allOf(organizationId), query, oldestFirst);
          return { ...page, data: page.data.filter((one) => isAskedFor(query, one)) };
        }),
    },
    readSubscribers: async (organizationId) => ({
      organization: await getOrganization(organizationId),
      endpoints: allOf(organizationId),
    }),
    readRecipient: async (organizationId, id) => ({
      organization: await getOrganization(organizationId),
      endpoint: find(organizationId, id),
    }),
    set,
    setOrganization,
  };
}

const byId: Listing<Organization> = {
  order: 'ascending',
  position: z.tuple([organizationId]),
  placeOf: ({ id }) => [id],
};

const oldestFirst: Listing<Endpoint> = {
  order: 'ascending',
  position: z.tuple([endpointId]),
  placeOf: ({ id }) => [id],
};
