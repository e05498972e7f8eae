import { z } from 'zod';
import type { Recipient } from './decide.ts';
import { found } from '../shared/errors.ts';
import { endpointId, organizationId } from '../shared/identifier.ts';
import { noBody, noQuery, route } from '../shared/route.ts';
import type { Route } from '../shared/route.ts';
import { diagnosis, sendTestEvent } from './test-event.ts';
import type { TestEventPorts } from './test-event.ts';

export interface TestRoutesPorts {
  readonly readRecipient: (organizationId: string, endpointId: string) => Promise<Recipient>;
  readonly sending: TestEventPorts;
}

/** Described apart, as it is served by a function of its own, and listed by the one that serves all others. */
export const testing = {
  method: 'POST',
  path: '/v1/organizations/{organizationId}/endpoints/{endpointId}/test',
  operationId: 'testEndpoint',
  summary: 'Send a signed webhook.test event now, and say step by step what happened',
  scope: 'webhooks:write',
  entitlement: 'write',
  params: z.strictObject({ organizationId, endpointId }),
  query: noQuery,
  body: noBody,
  answer: { status: 200, schema: diagnosis },
} as const;

/** The one operation of the test function, which alone of the API's may sign and reach out. */
export function testRoutes({ readRecipient, sending }: TestRoutesPorts): Route[] {
  const sendTest = route({
    ...testing,
    handle: async ({ params }) => {
      const recipient = await readRecipient(params.organizationId, params.endpointId);
      const organization = await found(Promise.resolve(recipient.organization), 'organization');
      const endpoint = await found(Promise.resolve(recipient.endpoint), 'endpoint');
      return sendTestEvent(sending, organization, endpoint);
    },
  });
  return [sendTest];
}
