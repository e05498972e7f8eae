import type { Organization } from '../../organization/organization.ts';
import { refuseLongDefaults } from '../../organization/policy.ts';
import { differences } from '../../shared/difference.ts';
import type { Difference } from '../../shared/difference.ts';
import { allOf, Refusal } from '../../shared/errors.ts';
import type { Sound } from '../../shared/sound.ts';
import type { Endpoint } from '../endpoint.ts';
import { judge, judgeAlone, refuseMoreThan } from '../judge.ts';
import type { Rules } from '../judge.ts';
import { headersAfter, judgeHeaders, newSecrets } from '../own-header.ts';
import { exported } from './configuration.ts';
import type { ConfiguredEndpoint, WantedConfiguration } from './configuration.ts';
import { matchAll, refuseNamesOf, refuseTwice, refuseUnclear } from './match.ts';
import type { Subscribers } from '../subscribers.ts';

/** What is to become of one endpoint. */
export type PlannedEndpoint =
  | { readonly outcome: 'added'; readonly wanted: ConfiguredEndpoint }
  | {
      readonly outcome: 'changed';
      readonly before: Endpoint;
      readonly wanted: ConfiguredEndpoint;
      readonly changes: readonly Difference[];
    }
  /** `unlisted` stays although the configuration does not mention it. */
  | { readonly outcome: 'unchanged' | 'removed' | 'unlisted'; readonly before: Endpoint };

export interface Plan {
  /** With the defaults that it will have. */
  readonly organization: Organization;
  readonly policyChanges: readonly Difference[];
  /** In the order of the configuration, then those that it does not mention. */
  readonly endpoints: readonly PlannedEndpoint[];
}

export interface Asked {
  readonly wanted: WantedConfiguration;
  /** Whether to remove what the configuration does not mention. */
  readonly prune: boolean;
}

/**
 * What an import will do. Each endpoint that is mentioned will be as it is described there: what is left out goes back
 * to its default. Only secret headers without a value keep theirs.
 *
 * @throws Refusal when anything in the configuration is wrong: nothing of it is carried out then.
 */
export async function planImport(
  rules: Rules,
  { organization, endpoints, leaving = [] }: Subscribers & { organization: Organization },
  { wanted, prune }: Asked,
): Promise<Plan> {
  const policy = wanted.policy ?? organization.policy;
  const policyChanges = differences(organization.policy, policy);
  const after = { ...organization, policy };
  const matches = matchAll(wanted.endpoints, endpoints);
  const unmentioned = endpoints.filter((endpoint) => !matches.includes(endpoint));
  const staying = prune ? [] : unmentioned;
  const planned = wanted.endpoints.map((entry, index) => planOne(entry, matches[index]));
  const judging = { ...rules, listEventTypes: readOnce(rules.listEventTypes) };
  // Of defaults that are too long it is said once, and not of every endpoint.
  let judgedBy = organization;
  await allOf(
    () => refuseUnclear(wanted.endpoints, endpoints),
    () => {
      if (policyChanges.length === 0) return;
      const own = staying.map((one) => ({ endpointId: one.id, policy: one.policy }));
      refuseLongDefaults(policy, own, rules.retentionDays);
      judgedBy = after;
    },
    () => {
      refuseNamesOf(staying, wanted.endpoints);
      refuseMoreThan(rules, wanted.endpoints.length + staying.length);
    },
    ...planned.map((one, index) => async () => {
      if (one.outcome === 'unchanged' && policyChanges.length === 0) return;
      await within(`endpoints.${String(index)}`, () => judgeOne(judging, one, judgedBy));
    }),
  );
  const left = unmentioned.map((before) => ({ outcome: prune ? 'removed' : 'unlisted', before }) as const);
  // Of which a removal was cut off, by an import or otherwise.
  const ending = prune ? leaving.map((before) => ({ outcome: 'removed', before }) as const) : [];
  return { organization: after, policyChanges, endpoints: [...planned, ...left, ...ending] };
}

/**
 * Judges of an import whose form is wrong elsewhere what needs nothing that is stored but the catalogue.
 *
 * @throws InvalidRequest
 */
export function judgeEntries(
  rules: Pick<Rules, 'target' | 'listEventTypes'>,
  { endpoints: entries = [] }: Sound<WantedConfiguration>,
): Promise<void> {
  const judging = { ...rules, listEventTypes: readOnce(rules.listEventTypes) };
  return allOf(
    () =>
      refuseTwice(
        entries.map((entry) => entry?.name),
        'name',
      ),
    ...entries.map((entry = {}, index) => () => {
      return within(`endpoints.${String(index)}`, () => judgeAlone(judging, entry));
    }),
  );
}

function planOne(wanted: ConfiguredEndpoint, before: Endpoint | undefined): PlannedEndpoint {
  if (before === undefined) return { outcome: 'added', wanted };
  const after = { ...wanted, id: before.id, headers: headersAfter(wanted.headers, before.headers) };
  const changes = [
    ...differences(exported(before), after),
    ...newSecrets(wanted.headers).map((name) => ({ field: `headers.${name}` })),
  ];
  return changes.length === 0
    ? { outcome: 'unchanged', before }
    : { outcome: 'changed', before, wanted, changes };
}

async function judgeOne(rules: Rules, planned: PlannedEndpoint, organization: Organization): Promise<void> {
  if (planned.outcome === 'added') {
    const { wanted } = planned;
    await allOf(
      () => judgeHeaders(wanted.headers, []),
      () => judge(rules, wanted, organization),
    );
  }
  // As it was, but with other defaults.
  if (planned.outcome === 'unchanged') await judge(rules, { policy: planned.before.policy }, organization);
  if (planned.outcome !== 'changed') return;
  const { before, wanted, changes } = planned;
  const isChanged = (field: string) => changes.some((one) => one.field === field);
  const judged = {
    policy: wanted.policy,
    ...(isChanged('url') ? { url: wanted.url } : {}),
    ...(isChanged('eventTypes') ? { eventTypes: wanted.eventTypes } : {}),
  };
  await allOf(
    () => judgeHeaders(wanted.headers, before.headers),
    () => judge(rules, judged, organization),
  );
}

/** Reads the catalogue once for all endpoints. */
function readOnce<Thing>(read: () => Promise<Thing>): () => Promise<Thing> {
  let reading: Promise<Thing> | undefined;
  return () => (reading ??= read());
}

async function within(place: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    throw fault.at(place);
  }
}
