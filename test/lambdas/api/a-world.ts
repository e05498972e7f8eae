import { z } from 'zod';
import type { HttpAnswer } from '../../../lambdas/api/problem.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aService } from './a-service.ts';
import type { Service, Wish } from './a-service.ts';

export const events = '/v1/organizations/org_1/events';
export const endpoints = '/v1/organizations/org_1/endpoints';
export const anEventBody = { type: 'pipeline.run.failed', data: { runId: 77 } };

/** An API with one organization, which has one endpoint. */
export function aWorld(): Service {
  const service = aService();
  service.configuration.setOrganization(anOrganization());
  service.configuration.set(anEndpoint());
  return service;
}

/** What such an API answers: the status, and the code of a refusal. */
export async function outcome(wish: Wish): Promise<string> {
  return outcomeOf(await aWorld().ask(wish));
}

export function outcomeOf({ statusCode, body }: HttpAnswer): string {
  const { code } = z.looseObject({ code: z.string().optional() }).parse(JSON.parse(body));
  return code === undefined ? `${statusCode}` : `${statusCode} ${code}`;
}
