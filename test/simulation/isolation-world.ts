import { anEndpoint } from '../fakes/an-endpoint.ts';
import { anOrganization } from '../fakes/an-organization.ts';
import { renewCaches } from './caches.ts';
import { aChance } from './chance.ts';
import { unhurriedFunctions } from './functions.ts';
import { addressOf } from './names.ts';
import { pick } from './pick.ts';
import { publishOne } from './publish.ts';
import type { Behaviour } from './receivers.ts';
import { Scheduler, takeTurns } from './scheduler.ts';
import { keep } from './setup.ts';
import { fairWeather } from './weather.ts';
import { makeWorld } from './world.ts';
import type { World } from './world.ts';

export interface IsolationWish {
  /** Events a second, each for one of ten healthy endpoints and for the one that may hang. */
  readonly perSecond: number;
  readonly seconds: number;
  readonly hangs: boolean;
}

/** What a healthy endpoint waited for an event. */
export interface Wait {
  /** Since the beginning, when it was published. */
  readonly atMs: number;
  /** From the publishing to the request. */
  readonly waitMs: number;
}

const organizationId = 'org_1';

const types = [
  'pipeline.run.started',
  'pipeline.run.failed',
  'security.policy.changed',
  'governance.contract.violated',
] as const;

const quick: Behaviour = ({ chance }) => ({
  answer: { kind: 'response', status: 204 },
  tookMs: chance.between(20, 80),
  hintMs: 0,
});

const silent: Behaviour = ({ timeoutMs }) => ({
  answer: { kind: 'failure', code: 'timeout' },
  tookMs: timeoutMs,
  hintMs: 0,
});

/** The real use cases in virtual time, with as many functions as an account has, while one endpoint takes half of all. */
export async function runIsolation({ perSecond, seconds, hangs }: IsolationWish): Promise<Wait[]> {
  const time = new Scheduler();
  renewCaches(time.now);
  const startMs = time.now();
  const world = await makeWorld({
    ...{ chance: aChance(1), time, weather: fairWeather(startMs), retentionDays: 30 },
    ...{ isLong: true, withStory: false, plant: undefined },
  });
  const hanging = await setUp(world, hangs ? silent : quick);
  const publishedMs = new Map<string, number>();
  for (let number = 0; number < perSecond * seconds; number += 1)
    time.later((number * 1_000) / perSecond, () => {
      const type = types[number % types.length] ?? types[0];
      const atMs = time.now();
      void publishOne(world, { organizationId, type }).then((id) => publishedMs.set(id, atMs));
    });
  const functions = unhurriedFunctions(world);
  const endMs = startMs + seconds * 1_000 + lastMs;
  await takeTurns(() => pick(world, functions) || (time.now() < endMs && time.advance()));
  const violation = world.violation();
  if (violation !== undefined) throw new Error(`${violation.invariant}: ${violation.text}`);
  return [...world.book.dossiers.values()].flatMap(({ endpointId, eventId, requests: [first] }) => {
    const atMs = publishedMs.get(eventId);
    if (endpointId === hanging || atMs === undefined) return [];
    // Who has no request by now has waited for at least so long.
    return [{ atMs: atMs - startMs, waitMs: (first?.atMs ?? endMs) - atMs }];
  });
}

/** For the last deliveries to arrive. */
const lastMs = 60_000;

/** @returns the id of the endpoint that takes every event. */
async function setUp(world: World, behaviour: Behaviour): Promise<string> {
  const organization = anOrganization({ id: organizationId });
  world.configuration.setOrganization(organization);
  world.book.organization(organizationId).change(-Infinity, organization);
  const make = async (name: string, eventTypes: readonly string[], its: Behaviour) => {
    const endpoint = anEndpoint({ name, organizationId, eventTypes: [...eventTypes] });
    await keep(world, { ...endpoint, url: addressOf(endpoint.id, 1) }, its);
    return endpoint.id;
  };
  for (const type of types) await make(type, [type], quick);
  return make('all', ['*'], behaviour);
}
