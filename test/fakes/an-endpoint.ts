import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import { endpointIdOf } from './ids.ts';

const at = '2026-11-01T00:00:00.000Z';

/** An active endpoint that wants everything. Its id, its URL and its secret follow from its name. */
export function anEndpoint({
  name = 'one',
  ...given
}: Omit<Partial<Endpoint>, 'name'> & { name?: string } = {}): Endpoint {
  return {
    id: endpointIdOf(name),
    organizationId: 'org_1',
    url: `https://${name}.example.com/hook`,
    active: true,
    eventTypes: ['*'],
    categories: [],
    policy: {},
    keepResponse: false,
    headers: [],
    scheme: 'hmac',
    secretVersions: [{ id: `${name}-v1`, createdAt: at }],
    createdAt: at,
    updatedAt: at,
    ...given,
  };
}
