import type { EventType } from '../event/event-type.ts';
import { catalogueOf } from '../event/catalogue.ts';
import { effectivePolicy, mergePolicy, refuseLongSchedule } from '../organization/policy.ts';
import type { Organization } from '../organization/organization.ts';
import { InvalidRequest } from '../shared/errors.ts';
import { newEndpointId } from '../shared/identifier.ts';
import type { RandomBytes } from '../shared/identifier.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { newSecret } from '../signing/secret.ts';
import type { Endpoint, EndpointChange, NewEndpoint } from './endpoint.ts';
import { parseTarget } from './target.ts';
import type { TargetRules } from './target.ts';

/** What judges a configuration of an endpoint. */
export interface Rules {
  readonly listEventTypes: () => Promise<EventType[]>;
  readonly target: TargetRules;
  readonly retentionDays: number;
}

export interface RegisterPorts {
  readonly rules: Rules;
  readonly add: (endpoint: Endpoint) => Promise<void>;
  readonly secrets: {
    readonly create: (owner: Owner, version: { id: string; secret: string }) => Promise<void>;
    readonly remove: (owner: Owner) => Promise<void>;
  };
  readonly chance: { readonly newUuid: () => string; readonly randomBytes: RandomBytes };
  readonly now: Now;
}

interface Owner {
  readonly organizationId: string;
  readonly endpointId: string;
}

/**
 * Makes an endpoint with its secret. The secret is made first, so that an endpoint which exists can be signed
 * for; if the endpoint cannot be written, the secret is removed again.
 *
 * @returns the endpoint and its secret, which is shown this once.
 * @throws InvalidRequest when the URL, the event types or the policy break a rule.
 */
export async function register(
  ports: RegisterPorts,
  organization: Organization,
  wanted: NewEndpoint,
): Promise<{ endpoint: Endpoint; secret: string }> {
  await judge(ports.rules, wanted, organization);
  const nowMs = ports.now();
  const at = isoTime(nowMs);
  const version = { id: ports.chance.newUuid(), secret: newSecret(ports.chance.randomBytes) };
  const endpoint: Endpoint = {
    ...wanted,
    id: newEndpointId(nowMs, ports.chance.randomBytes),
    organizationId: organization.id,
    scheme: 'hmac',
    secretVersions: [{ id: version.id, createdAt: at }],
    createdAt: at,
    updatedAt: at,
  };
  const owner = { organizationId: organization.id, endpointId: endpoint.id };
  try {
    await ports.secrets.create(owner, version);
    await ports.add(endpoint);
  } catch (fault) {
    await ports.secrets.remove(owner);
    throw fault;
  }
  return { endpoint, secret: version.secret };
}

/**
 * The endpoint after a change.
 *
 * @throws InvalidRequest when the result breaks a rule; nothing has been written then.
 */
export async function amend(
  rules: Rules,
  { before, organization }: { before: Endpoint; organization: Organization },
  { change, at }: { change: EndpointChange; at: string },
): Promise<Endpoint> {
  const { policy, ...rest } = change;
  const merged = policy === undefined ? before.policy : mergePolicy(before.policy, policy);
  const after = { ...before, ...rest, policy: merged, updatedAt: at };
  await judge(rules, after, organization);
  return after;
}

async function judge(
  rules: Rules,
  wanted: Pick<NewEndpoint, 'url' | 'eventTypes' | 'policy'>,
  organization: Organization,
): Promise<void> {
  const target = parseTarget(wanted.url, rules.target);
  if (!target.ok) throw new InvalidRequest(target.code, target.message, 'url');
  refuseLongSchedule(effectivePolicy(wanted.policy, organization.policy), rules.retentionDays);
  const named = wanted.eventTypes.filter((pattern) => !pattern.endsWith('*'));
  if (named.length === 0) return;
  const catalogue = catalogueOf(await rules.listEventTypes());
  const unknown = wanted.eventTypes.findIndex((pattern) => !pattern.endsWith('*') && !catalogue.has(pattern));
  if (unknown === -1) return;
  throw new InvalidRequest(
    'unknown_event_type',
    'There is no such event type: see /v1/event-types.',
    `eventTypes.${unknown}`,
  );
}
