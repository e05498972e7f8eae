import { z } from 'zod';
import type { HttpAnswer } from '../../../lambdas/api/problem.ts';
import { shownEndpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aService } from '../api/a-service.ts';
import type { Service } from '../api/a-service.ts';

/** Where endpoints of `org_1` are. */
export const endpoints = '/v1/organizations/org_1/endpoints';
/** The one that is there. */
export const one = `${endpoints}/${endpointIdOf('one')}`;
export const url = 'https://a.example.com/hook';
export const id = endpointIdOf('one');

const created = shownEndpoint.extend({ secret: z.string() });

/** The API with an entitled organization and its one endpoint. */
export function aWorld(
  organization: Parameters<typeof anOrganization>[0] = {},
  parts: Parameters<typeof aService>[0] = {},
): Service {
  const service = aService(parts);
  service.configuration.setOrganization(anOrganization(organization));
  service.configuration.set(anEndpoint());
  return service;
}

/** Makes an endpoint, which must be taken. */
export async function create(service: Service, body: object): Promise<z.output<typeof created>> {
  return created.parse(JSON.parse((await service.ask({ method: 'POST', path: endpoints, body })).body));
}

export function problemOf({ body }: HttpAnswer): unknown {
  return JSON.parse(body);
}

/** What lies in a secret now. */
export function versionsOf({ secrets }: Service, endpointId: string, part: string): string[] {
  return [...(secrets.secrets.get(`org_1/${endpointId}/${part}`)?.values() ?? [])];
}
