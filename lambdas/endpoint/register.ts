import { catalogueOf } from '../event/catalogue.ts';
import type { EventType } from '../event/event-type.ts';
import type { Organization } from '../organization/organization.ts';
import { effectivePolicy, mergePolicy, refuseLongSchedule } from '../organization/policy.ts';
import type { Policy } from '../organization/policy.ts';
import { Conflict, InvalidRequest, NotWritten } from '../shared/errors.ts';
import { newEndpointId } from '../shared/identifier.ts';
import type { RandomBytes } from '../shared/identifier.ts';
import { isoTime } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { newSecret } from '../signing/secret.ts';
import type { SecretName, SecretWriter } from '../signing/secret.ts';
import type { Endpoint, EndpointChange, NewEndpoint } from './endpoint.ts';
import { judgeHeaders, retireHeaders, storeHeaders } from './own-header.ts';
import type { OwnHeader } from './own-header.ts';
import { parseTarget } from './target.ts';
import type { TargetRules } from './target.ts';

/** What judges a configuration of an endpoint. */
export interface Rules {
  readonly listEventTypes: () => Promise<EventType[]>;
  readonly target: TargetRules;
  readonly retentionDays: number;
  /** Endpoints that an organization may have. */
  readonly endpointsMax: number;
}

export interface RegisterPorts {
  readonly rules: Rules;
  readonly endpoints: {
    readonly add: (endpoint: Endpoint) => Promise<void>;
    readonly count: (organizationId: string) => Promise<number>;
    readonly replace: (before: Endpoint, after: Endpoint) => Promise<boolean>;
    readonly remove: (organizationId: string, id: string) => Promise<void>;
  };
  readonly secrets: SecretWriter;
  readonly chance: { readonly newUuid: () => string; readonly randomBytes: RandomBytes };
  /** Sees to it that the organization has a signing key. */
  readonly ensureKey: (organizationId: string) => Promise<void>;
  readonly now: Now;
}

type Owner = Omit<SecretName, 'part'>;

/**
 * Makes an endpoint with its secrets. The secrets are made first, so that an endpoint which exists can be signed
 * for; if the endpoint cannot be written, they are removed again.
 *
 * @returns the endpoint and its secret, which is shown this once.
 * @throws InvalidRequest when the URL, the event types, the headers or the policy break a rule; Conflict when the
 * organization has as many endpoints as it may.
 */
export async function register(
  ports: RegisterPorts,
  organization: Organization,
  wanted: NewEndpoint,
): Promise<{ endpoint: Endpoint; secret: string }> {
  await judge(ports.rules, wanted, organization);
  judgeHeaders(wanted.headers, []);
  await refuseTooMany(ports, organization.id);
  const { newUuid, randomBytes } = ports.chance;
  const nowMs = ports.now();
  const at = isoTime(nowMs);
  const { secret, ...settings } = wanted;
  const version = { id: newUuid(), value: secret ?? newSecret(randomBytes) };
  const owner = { organizationId: organization.id, endpointId: newEndpointId(nowMs, randomBytes) };
  try {
    if (wanted.scheme === 'jwt') await ports.ensureKey(organization.id);
    await ports.secrets.put({ ...owner, part: 'signing' }, version);
    const endpoint: Endpoint = {
      ...settings,
      id: owner.endpointId,
      organizationId: organization.id,
      headers: await storeHeaders({ ...ports, newUuid }, owner, { wanted: wanted.headers, before: [] }),
      secretVersions: [{ id: version.id, createdAt: at }],
      createdAt: at,
      updatedAt: at,
    };
    await ports.endpoints.add(endpoint);
    return { endpoint, secret: version.value };
  } catch (fault) {
    // It may have been written although the answer was lost; without its secret it could never be signed for.
    await ports.endpoints.remove(owner.organizationId, owner.endpointId);
    await removeSecrets(ports, owner);
    throw fault;
  }
}

/** Two made at the same moment may both be the last one: the bound is for mistakes, not for money. */
async function refuseTooMany({ endpoints, rules }: RegisterPorts, organizationId: string): Promise<void> {
  if ((await endpoints.count(organizationId)) < rules.endpointsMax) return;
  throw new Conflict(
    'too_many_endpoints',
    `An organization may have ${String(rules.endpointsMax)} endpoints: delete those that nobody needs.`,
  );
}

/**
 * Changes an endpoint.
 *
 * @throws InvalidRequest when the result breaks a rule; nothing has been written then. Conflict when somebody else
 * has changed the endpoint since it was read.
 */
export async function amend(
  ports: RegisterPorts,
  { before, organization }: { before: Endpoint; organization: Organization },
  change: EndpointChange,
): Promise<Endpoint> {
  const { policy, headers: wanted, ...rest } = change;
  const { newUuid } = ports.chance;
  const merged = policy === undefined ? before.policy : mergePolicy(before.policy, policy);
  const changed = { ...before, ...rest, policy: merged };
  // Only what changes: an endpoint whose event type has been removed since can still be switched off.
  await judge(ports.rules, { url: change.url, eventTypes: change.eventTypes, policy: merged }, organization);
  if (changed.scheme === 'jwt') await ports.ensureKey(organization.id);
  const owner = { organizationId: before.organizationId, endpointId: before.id };
  let headers: readonly OwnHeader[] = before.headers;
  if (wanted !== undefined) {
    judgeHeaders(wanted, before.headers);
    headers = await storeHeaders({ ...ports, newUuid }, owner, { wanted, before: before.headers });
  }
  const retire = (left: { before: readonly OwnHeader[]; after: readonly OwnHeader[] }) =>
    retireHeaders({ ...ports, newUuid }, owner, left);
  const written = await replace(ports, { before, changed: { ...changed, headers: [...headers] } }, () =>
    retire({ before: headers, after: before.headers }),
  );
  await retire({ before: before.headers, after: headers });
  return written;
}

/**
 * Writes a changed endpoint, unless somebody has been faster; what was written for it beforehand is undone, unless
 * the endpoint may name it.
 *
 * @throws Conflict `changed_meanwhile`
 */
export async function replace(
  ports: RegisterPorts,
  { before, changed }: { before: Endpoint; changed: Endpoint },
  undo: () => Promise<void>,
): Promise<Endpoint> {
  const after = { ...changed, updatedAt: isoTime(ports.now()) };
  const isReplaced = await ports.endpoints.replace(before, after).catch(async (fault: unknown) => {
    if (fault instanceof NotWritten) await undo();
    throw fault;
  });
  if (isReplaced) return after;
  await undo();
  throw new Conflict('changed_meanwhile', 'Somebody else has just changed this endpoint: read it again.');
}

/**
 * Removes an endpoint with its secrets and what else is kept of it (`forget`): all that first, so that after a failure
 * the same call can be made again.
 */
export async function unregister(
  ports: RegisterPorts,
  { organizationId, id }: Endpoint,
  forget: (id: string) => Promise<void>,
): Promise<void> {
  await removeSecrets(ports, { organizationId, endpointId: id });
  await forget(id);
  await ports.endpoints.remove(organizationId, id);
}

async function removeSecrets({ secrets }: RegisterPorts, owner: Owner): Promise<void> {
  for (const part of ['signing', 'headers', 'client-certificate'] as const)
    await secrets.remove({ ...owner, part });
}

interface Judged {
  readonly url?: string | undefined;
  readonly eventTypes?: readonly string[] | undefined;
  readonly policy: Policy;
}

async function judge(
  rules: Rules,
  { url, eventTypes, policy }: Judged,
  organization: Organization,
): Promise<void> {
  if (url !== undefined) {
    const target = parseTarget(url, rules.target);
    if (!target.ok) throw new InvalidRequest(target.code, target.message, 'url');
  }
  refuseLongSchedule(effectivePolicy(policy, organization.policy), rules.retentionDays);
  await judgeEventTypes(rules, eventTypes ?? []);
}

async function judgeEventTypes(rules: Rules, patterns: readonly string[]): Promise<void> {
  if (patterns.every((pattern) => pattern.endsWith('*'))) return;
  const catalogue = catalogueOf(await rules.listEventTypes());
  const unknown = patterns.findIndex((pattern) => !pattern.endsWith('*') && !catalogue.has(pattern));
  if (unknown === -1) return;
  throw new InvalidRequest(
    'unknown_event_type',
    'There is no such event type: see /v1/event-types.',
    `eventTypes.${unknown}`,
  );
}
