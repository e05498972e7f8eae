import type { Organization } from '../organization/organization.ts';
import { mergePolicy, setsSchedule } from '../organization/policy.ts';
import { allOf, NotFound, NotWritten } from '../shared/errors.ts';
import { newEndpointId } from '../shared/identifier.ts';
import type { RandomBytes } from '../shared/identifier.ts';
import { isoTime, isoTimeAfter } from '../shared/time.ts';
import type { Now } from '../shared/time.ts';
import { newSecret } from '../signing/secret.ts';
import type { SecretWriter } from '../signing/secret.ts';
import type { Endpoint, EndpointChange, NewEndpoint } from './endpoint.ts';
import { judge, refuseTakenName, refuseTooMany } from './judge.ts';
import type { OthersPorts, Rules } from './judge.ts';
import { judgeHeaders, retireHeaders, storeHeaders } from './own-header.ts';
import type { OwnHeader, WantedHeader } from './own-header.ts';
import { changedMeanwhile, removeSecrets } from './unregister.ts';
import type { UnregisterPorts } from './unregister.ts';

export interface RegisterPorts {
  readonly rules: Rules;
  readonly endpoints: OthersPorts['endpoints'] &
    UnregisterPorts['endpoints'] & {
      readonly get: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
      readonly add: (endpoint: Endpoint) => Promise<void>;
      readonly replace: (before: Endpoint, after: Endpoint) => Promise<boolean>;
    };
  readonly secrets: SecretWriter;
  readonly chance: { readonly newUuid: () => string; readonly randomBytes: RandomBytes };
  /** Sees to it that the organization has a signing key. */
  readonly ensureKey: (organizationId: string) => Promise<void>;
  readonly now: Now;
}

/** An endpoint that has just been made, and its secret, which is shown this once. */
export interface Registered {
  readonly endpoint: Endpoint;
  readonly secret: string;
}

/**
 * Makes an endpoint with its secrets, when nothing speaks against it.
 *
 * @throws InvalidRequest when the URL, the event types, the headers or the policy break a rule; Conflict when the
 * organization has as many endpoints as it may, or one of the same name.
 */
export async function register(
  ports: RegisterPorts,
  organization: Organization,
  wanted: NewEndpoint,
): Promise<Registered> {
  await allOf(
    () => judge(ports.rules, wanted, organization),
    () => judgeHeaders(wanted.headers, []),
  );
  await refuseTooMany(ports, organization.id);
  await refuseTakenName(ports, organization.id, wanted);
  return make(ports, organization.id, wanted);
}

/** A new endpoint that has been judged, its headers by their own rules. */
type Judged = Omit<NewEndpoint, 'headers'> & { readonly headers: readonly WantedHeader[] };

/**
 * Makes an endpoint that has been judged. The secrets are made first, so that an endpoint which exists can be signed
 * for; if the endpoint cannot be written, they are removed again.
 */
export async function make(
  ports: RegisterPorts,
  organizationId: string,
  wanted: Judged,
): Promise<Registered> {
  const { newUuid, randomBytes } = ports.chance;
  const nowMs = ports.now();
  const at = isoTime(nowMs);
  const { secret, ...settings } = wanted;
  const version = { id: newUuid(), value: secret ?? newSecret(randomBytes) };
  const owner = { organizationId, endpointId: newEndpointId(nowMs, randomBytes) };
  try {
    if (wanted.scheme === 'jwt') await ports.ensureKey(organizationId);
    await ports.secrets.put({ ...owner, part: 'signing' }, version);
    const endpoint: Endpoint = {
      ...settings,
      id: owner.endpointId,
      organizationId,
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

/**
 * Changes an endpoint.
 *
 * @throws InvalidRequest when the result breaks a rule; nothing has been written then. Conflict when another has its
 * name, or somebody else has changed the endpoint since it was read.
 */
export async function amend(
  ports: RegisterPorts,
  { before, organization }: { before: Endpoint; organization: Organization },
  change: EndpointChange,
): Promise<Endpoint> {
  const { policy, headers, name, description, ...rest } = change;
  const merged = policy === undefined ? before.policy : mergePolicy(before.policy, policy);
  const isScheduled = policy !== undefined && setsSchedule(policy);
  const judged = { url: change.url, eventTypes: change.eventTypes, policy: isScheduled ? merged : undefined };
  await allOf(
    () => judge(ports.rules, judged, organization),
    () => judgeHeaders(headers ?? [], before.headers),
  );
  if (name != null) await refuseTakenName(ports, organization.id, { id: before.id, name });
  const changed: Endpoint = {
    ...before,
    ...rest,
    ...(name == null ? {} : { name }),
    ...(description == null ? {} : { description }),
    policy: merged,
  };
  if (name === null) delete changed.name;
  if (description === null) delete changed.description;
  return carryOut(ports, { before, changed }, headers);
}

/**
 * Carries out a change that has been judged.
 *
 * @param wanted headers that are to take the place of those of before; without them these stay
 * @throws Conflict `changed_meanwhile`
 */
export async function carryOut(
  ports: RegisterPorts,
  { before, changed }: { before: Endpoint; changed: Endpoint },
  wanted: readonly WantedHeader[] | undefined,
): Promise<Endpoint> {
  if (changed.scheme === 'jwt') await ports.ensureKey(changed.organizationId);
  const owner = { organizationId: before.organizationId, endpointId: before.id };
  const headerPorts = { ...ports, newUuid: ports.chance.newUuid };
  const headers: readonly OwnHeader[] =
    wanted === undefined
      ? before.headers
      : await storeHeaders(headerPorts, owner, { wanted, before: before.headers });
  const retire = (left: { before: readonly OwnHeader[]; after: readonly OwnHeader[] }) =>
    retireHeaders(headerPorts, owner, left);
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
 * @throws Conflict `changed_meanwhile`; NotFound when it has been removed since it was read.
 */
export async function replace(
  ports: RegisterPorts,
  { before, changed }: { before: Endpoint; changed: Endpoint },
  undo: () => Promise<void>,
): Promise<Endpoint> {
  const after = { ...changed, updatedAt: isoTimeAfter(before.updatedAt, ports.now()) };
  const isReplaced = await ports.endpoints.replace(before, after).catch(async (fault: unknown) => {
    if (fault instanceof NotWritten) await takeBack(ports, before, undo);
    throw fault;
  });
  if (isReplaced) return after;
  throw (await takeBack(ports, before, undo)) === 'gone' ? new NotFound('endpoint') : changedMeanwhile();
}

/** Undoes what was written for an endpoint; of one that is gone by now, no secret may stay: nobody could remove it. */
async function takeBack(
  ports: RegisterPorts,
  { organizationId, id }: Endpoint,
  undo: () => Promise<void>,
): Promise<'undone' | 'gone'> {
  if ((await ports.endpoints.get(organizationId, id)) !== undefined) {
    await undo();
    return 'undone';
  }
  // Its secrets were removed before we wrote: Secrets Manager has made them again for us.
  await removeSecrets(ports, { organizationId, endpointId: id });
  return 'gone';
}
