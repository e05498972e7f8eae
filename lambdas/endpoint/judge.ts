import { catalogueOf } from '../event/catalogue.ts';
import type { EventType } from '../event/event-type.ts';
import type { Organization } from '../organization/organization.ts';
import { effectivePolicy, refuseLongSchedule } from '../organization/policy.ts';
import type { Policy } from '../organization/policy.ts';
import { allOf, Conflict, InvalidRequest } from '../shared/errors.ts';
import { refusalOf } from '../shared/faults.ts';
import { judgeNames } from './own-header.ts';
import { isSentAsWritten } from './request-target.ts';
import { parseTarget } from './target.ts';
import type { TargetRules } from './target.ts';
import { patternOfTypes } from './wants.ts';

/** What judges a configuration of an endpoint. */
export interface Rules {
  readonly listEventTypes: () => Promise<EventType[]>;
  readonly target: TargetRules;
  readonly retentionDays: number;
  /** Endpoints that an organization may have. */
  readonly endpointsMax: number;
}

/** What is looked up to judge an endpoint beside its organization's others. */
export interface OthersPorts {
  readonly rules: Pick<Rules, 'endpointsMax'>;
  readonly endpoints: {
    readonly count: (organizationId: string) => Promise<number>;
    readonly idsNamed: (organizationId: string, name: string) => Promise<string[]>;
  };
}

/** What is to be judged; of a change, only what changes. */
export interface Judged {
  readonly url?: string | undefined;
  readonly eventTypes?: readonly string[] | undefined;
  /** As it will be; its schedule is judged together with the organization's defaults. */
  readonly policy?: Policy | undefined;
}

/**
 * Judges what is set of an endpoint: one whose event type has been removed since, or whose schedule has become too long
 * by a shorter retention, can still be switched off.
 *
 * @throws InvalidRequest when the URL, the event types or the policy break a rule.
 */
export async function judge(
  rules: Omit<Rules, 'endpointsMax'>,
  { url, eventTypes, policy }: Judged,
  organization: Pick<Organization, 'policy'>,
): Promise<void> {
  await allOf(
    () => {
      if (url !== undefined) judgeUrl(rules, url);
    },
    () => {
      if (policy === undefined) return;
      refuseLongSchedule(effectivePolicy(policy, organization.policy), rules.retentionDays);
    },
    () => judgeEventTypes(rules, eventTypes ?? []),
  );
}

/** What there is of an endpoint whose form is wrong elsewhere. */
export interface SoundEndpoint {
  readonly url?: string | undefined;
  readonly eventTypes?: readonly (string | undefined)[] | undefined;
  readonly headers?: readonly ({ readonly name?: string | undefined } | undefined)[] | undefined;
}

/**
 * Judges of an endpoint what needs nothing that is stored but the catalogue.
 *
 * @throws InvalidRequest
 */
export function judgeAlone(
  rules: Pick<Rules, 'target' | 'listEventTypes'>,
  { url, eventTypes = [], headers = [] }: SoundEndpoint,
): Promise<void> {
  return allOf(
    () => {
      if (url !== undefined) judgeUrl(rules, url);
    },
    () => judgeEventTypes(rules, eventTypes),
    () => judgeNames(headers),
  );
}

function judgeUrl(rules: Pick<Rules, 'target'>, url: string): void {
  const target = parseTarget(url, rules.target);
  if (!target.ok) throw new InvalidRequest(target.code, target.message, 'url');
  if (!isSentAsWritten(url)) throw new InvalidRequest('invalid_url', foreignCharacters, 'url');
}

const foreignCharacters =
  'Path and query are sent as they are written: write characters that no URL has percent-encoded, such as %7B for {.';

async function judgeEventTypes(
  rules: Pick<Rules, 'listEventTypes'>,
  patterns: readonly (string | undefined)[],
): Promise<void> {
  const isOfCatalogue = (pattern = '*') => !pattern.endsWith('*') && patternOfTypes.test(pattern);
  const catalogue = patterns.some(isOfCatalogue) ? catalogueOf(await rules.listEventTypes()) : undefined;
  await allOf(
    ...patterns.map((pattern, index) => () => {
      if (pattern === undefined) return;
      const field = `eventTypes.${String(index)}`;
      refuseNoPattern(pattern, field);
      if (!isOfCatalogue(pattern) || catalogue?.has(pattern) === true) return;
      throw new InvalidRequest(
        'unknown_event_type',
        'There is no such event type: see /v1/event-types. A prefix ends in .*, such as pipeline.*',
        field,
      );
    }),
  );
}

function refuseNoPattern(pattern: string, field: string): void {
  if (patternOfTypes.test(pattern)) return;
  const detail = 'must be a type such as pipeline.run.failed, a prefix such as pipeline.*, or *';
  throw refusalOf([{ field, code: 'invalid_request', detail }]);
}

/**
 * Refuses one more endpoint when there are as many as there may be. Two made at the same moment may both be the last
 * one: the bound is for mistakes, not for money.
 *
 * @throws Conflict `too_many_endpoints`
 */
export async function refuseTooMany(
  { endpoints, rules }: OthersPorts,
  organizationId: string,
): Promise<void> {
  refuseMoreThan(rules, (await endpoints.count(organizationId)) + 1);
}

/** @throws Conflict `too_many_endpoints` */
export function refuseMoreThan({ endpointsMax }: Pick<Rules, 'endpointsMax'>, count: number): void {
  if (count <= endpointsMax) return;
  throw new Conflict(
    'too_many_endpoints',
    `An organization may have ${String(endpointsMax)} endpoints: delete those that nobody needs.`,
  );
}

/**
 * Refuses the name of another endpoint. Given twice at the same moment it may be there twice; an import that meets it
 * says so.
 *
 * @param id of the endpoint that is to have the name
 * @throws Conflict `name_taken`
 */
export async function refuseTakenName(
  { endpoints }: OthersPorts,
  organizationId: string,
  { id, name }: { readonly id?: string | undefined; readonly name?: string | undefined },
): Promise<void> {
  if (name === undefined) return;
  const ids = await endpoints.idsNamed(organizationId, name);
  if (ids.some((one) => one !== id)) throw nameTaken();
}

/** The refusal of a name that another endpoint has. */
export function nameTaken(): Conflict {
  return new Conflict('name_taken', 'Another endpoint of the organization has this name.', 'name');
}
