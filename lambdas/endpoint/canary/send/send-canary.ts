import { withPlan } from '../../../organization/organization.ts';
import type { Organization } from '../../../organization/organization.ts';
import type { Log } from '../../../shared/log.ts';
import { isoTime } from '../../../shared/time.ts';
import { newEndpoint } from '../../endpoint.ts';
import type { Endpoint } from '../../endpoint.ts';
import { amend, register } from '../../register.ts';
import type { RegisterPorts } from '../../register.ts';
import { canaryEventType, canaryOrganization, canarySource } from '../env.ts';

export interface SendPorts {
  readonly readSubscribers: (organizationId: string) => Promise<{
    readonly organization: Organization | undefined;
    readonly endpoints: readonly Endpoint[];
  }>;
  readonly replaceOrganization: (before: Organization | undefined, after: Organization) => Promise<boolean>;
  readonly registration: RegisterPorts;
  readonly publish: (entry: {
    readonly source: string;
    readonly detailType: string;
    readonly detail: string;
  }) => Promise<void>;
  readonly log: Log;
}

/**
 * Publishes one event for the canary's endpoint, as any producer would. The organization and the endpoint are made
 * when they are not there, and led to this deployment's receiver; what a person has switched off stays off.
 *
 * @param url where the canary receives
 */
export async function sendCanary(ports: SendPorts, url: string): Promise<void> {
  const { registration, publish, log } = ports;
  await prepare(ports, url);
  const occurredAt = isoTime(registration.now());
  await publish({
    source: canarySource,
    detailType: canaryEventType,
    detail: JSON.stringify({ organizationId: canaryOrganization, occurredAt, data: {} }),
  });
  log('canary.sent', {});
}

async function prepare({ readSubscribers, registration, ...ports }: SendPorts, url: string): Promise<void> {
  const before = await readSubscribers(canaryOrganization);
  const organization = before.organization ?? (await makeOrganization(ports, isoTime(registration.now())));
  const [endpoint] = before.endpoints;
  if (endpoint === undefined) {
    const wanted = newEndpoint.parse({
      name: 'canary',
      url,
      description: 'The canary of this deployment (docs/runbook.md#canary-missing)',
      eventTypes: [canaryEventType],
      // When whatever was broken is mended, the next event must arrive.
      policy: { circuitBreaker: null, disableAfterHours: null },
    });
    await register(registration, organization, wanted);
  } else if (endpoint.url !== url) {
    await amend(registration, { before: endpoint, organization }, { url });
  }
}

async function makeOrganization(
  { replaceOrganization }: Pick<SendPorts, 'replaceOrganization'>,
  at: string,
): Promise<Organization> {
  const plan = { plan: 'enterprise', addOns: [] };
  const made = withPlan(canaryOrganization, undefined, { plan, at });
  // False when another invocation has made it at this moment: the same one.
  await replaceOrganization(undefined, made);
  return made;
}
