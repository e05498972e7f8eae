import { z } from 'zod';
import { anything, callApi, CallFailed } from '../api-client.ts';
import type { Caller } from '../api-client.ts';
import type { Behaviour } from './receiver.ts';

/** An endpoint of the demo: its name is also the path on the demo receiver. */
export interface DemoEndpoint {
  readonly name: string;
  readonly description: string;
  readonly eventTypes: readonly string[];
  readonly behaviour: Behaviour;
}

export const demoEndpoints: readonly DemoEndpoint[] = [
  {
    name: 'works',
    description: 'Demo: takes every event at once',
    eventTypes: ['*'],
    behaviour: () => 204,
  },
  {
    name: 'flaky',
    description: 'Demo: fails twice, then takes the event',
    eventTypes: ['pipeline.*', 'orchestration.*'],
    behaviour: (seenBefore) => (seenBefore < 2 ? 503 : 204),
  },
  {
    name: 'broken',
    description: 'Demo: always fails, so that its events end in the dead-letter queue',
    eventTypes: ['pipeline.run.failed'],
    behaviour: () => 500,
  },
];

/** Short waits, so that a person who watches sees an event's whole life in seconds. */
const policy = {
  timeoutSeconds: 5,
  retry: { initialBackoffSeconds: 1, multiplier: 2, maximumBackoffSeconds: 10, maximumAttempts: 4 },
};

const created = z.object({ id: z.string(), secret: z.string() });
export type Registered = z.output<typeof created>;

/** Makes a demo endpoint through the API; the secret is in the answer and never again. */
export function registerEndpoint(
  caller: Caller,
  organizationId: string,
  wanted: { url: string; description: string; eventTypes: readonly string[] },
): Promise<Registered> {
  const path = `/v1/organizations/${organizationId}/endpoints`;
  return callApi(caller, { method: 'POST', path, body: { ...wanted, policy } }, created);
}

/** Points an endpoint of an earlier start at the receiver's new address; false when it is gone. */
export async function moveEndpoint(
  caller: Caller,
  organizationId: string,
  { id, url }: { id: string; url: string },
): Promise<boolean> {
  const path = `/v1/organizations/${organizationId}/endpoints/${id}`;
  try {
    await callApi(caller, { method: 'PATCH', path, body: { url } }, anything);
    return true;
  } catch (error) {
    if (error instanceof CallFailed && error.statusCode === 404) return false;
    throw error;
  }
}

/** Makes the organization, on a plan that has webhooks, unless it is there. */
export async function ensureOrganization(operator: Caller, organizationId: string): Promise<void> {
  const path = `/v1/organizations/${organizationId}`;
  try {
    await callApi(operator, { method: 'GET', path }, anything);
  } catch (error) {
    if (!(error instanceof CallFailed && error.statusCode === 404)) throw error;
    await callApi(operator, { method: 'PUT', path, body: { plan: 'enterprise' } }, anything);
  }
}
