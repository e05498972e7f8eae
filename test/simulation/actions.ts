import { deliveryRoutes } from '../../lambdas/delivery/routes.ts';
import { resume } from '../../lambdas/endpoint/health/resume.ts';
import { amend } from '../../lambdas/endpoint/register.ts';
import { unregister } from '../../lambdas/endpoint/unregister.ts';
import { rotateSecret } from '../../lambdas/endpoint/rotate-secret.ts';
import type { Endpoint, EndpointChange } from '../../lambdas/endpoint/endpoint.ts';
import { NotFound } from '../../lambdas/shared/errors.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { rotateKeys } from '../../lambdas/signing/rotate-keys.ts';
import type { Action } from './action.ts';
import { callApi } from './api.ts';
import type { ApiPorts } from './api.ts';
import { drawBehaviour, healthy } from './receivers.ts';
import { publish } from './publish.ts';
import { ownerOf } from './settings.ts';
import { drawEventTypes, drawPolicy, drawScheme } from './setup.ts';
import { addressOf, short } from './names.ts';
import { cancelRecovery, recoverSome, tidyUp } from './upkeep.ts';
import type { World } from './world.ts';

/** Any endpoint, whether it is still there or not. */
function anyEndpoint({ chance, book }: World) {
  const id = chance.pick(book.endpointIds);
  return { id, organizationId: ownerOf(book, id) };
}

const changing =
  (what: string, change: (world: World, endpointId: string) => EndpointChange): Action =>
  (world) => {
    changeOne(world, what, { ...anyEndpoint(world), change });
  };

interface Changed {
  readonly id: string;
  readonly organizationId: string;
  readonly change: (world: World, endpointId: string) => EndpointChange;
}

function changeOne(world: World, what: string, { id, organizationId, change }: Changed): void {
  const wanted = change(world, id);
  const call = async ({ registration, resumption, getEndpoint }: ApiPorts): Promise<void> => {
    const before = await getEndpoint(organizationId, id);
    const organization = world.book.organization(organizationId).latest;
    if (before === undefined || organization === undefined) return;
    const after = await amend(registration, { before, organization }, wanted);
    if (wanted.active === true) await resume(resumption, after);
  };
  callApi(world, { name: `${what} of ${short(id)}`, call, changed: organizationId });
}

const onEndpoint =
  (what: string, act: (ports: ApiPorts, endpoint: Endpoint, world: World) => Promise<unknown>): Action =>
  (world) => {
    const { id, organizationId } = anyEndpoint(world);
    const call = async (ports: ApiPorts): Promise<void> => {
      const endpoint = await ports.getEndpoint(organizationId, id);
      if (endpoint !== undefined) await act(ports, endpoint, world);
    };
    callApi(world, { name: `${what} ${short(id)}`, call, changed: organizationId });
  };

/** Off, and on again while functions may remember it; events come meanwhile. */
const flicker: Action = async (world) => {
  const { chance, time } = world;
  const one = anyEndpoint(world);
  changeOne(world, 'switching off', { ...one, change: () => ({ active: false }) });
  await publish(world);
  time.later(chance.between(1_000, 20_000), () => {
    changeOne(world, 'switching on', { ...one, change: () => ({ active: true }) });
    for (const laterMs of [500, 4_000])
      time.later(laterMs, () => {
        void publish(world);
      });
  });
};

const switchOff = changing('switching off', () => ({ active: false }));
const switchOn = changing('switching on', () => ({ active: true }));
const changePolicy = changing('a new policy', (world) => ({ policy: drawPolicy(world) }));
const changeTypes = changing('other event types', ({ chance }) => ({ eventTypes: drawEventTypes(chance) }));
const changeScheme = changing('another scheme', ({ chance }) => ({ scheme: drawScheme(chance) }));
const changeAddress = changing('another address', ({ chance }, id) => ({
  url: addressOf(id, chance.between(2, 9)),
}));

const remove = onEndpoint('removing', ({ registration, forget }, endpoint) =>
  unregister(registration, endpoint, forget),
);
const resumeIt = onEndpoint('resuming', ({ resumption }, endpoint) => resume(resumption, endpoint));

const rotate: Action = (world) => {
  const overlapSeconds = world.chance.pick([0, 60, 3_600, 86_400]);
  return onEndpoint(`a new secret, ${overlapSeconds} s of overlap, for`, ({ registration }, endpoint) =>
    rotateSecret(registration, endpoint, { overlapSeconds }),
  )(world);
};

const rotateSigningKeys: Action = (world) => {
  const organizationId = world.chance.pick(world.book.organizationIds);
  const leadSeconds = world.chance.pick([0, 60, 1_800]);
  const overlapSeconds = world.chance.pick([0, 300, 1_800]);
  const call = async ({ keys }: ApiPorts): Promise<void> => {
    await rotateKeys(keys, organizationId, { algorithm: 'ES256', leadSeconds, overlapSeconds });
  };
  callApi(world, { name: `a new signing key, in use after ${leadSeconds} s`, call, changed: organizationId });
};

const changePlan: Action = (world) => {
  const { chance, stores, book, time } = world;
  const id = chance.pick(book.organizationIds);
  const call = async (): Promise<void> => {
    const { latest: before } = book.organization(id);
    if (before === undefined) return;
    const plan = before.plan === 'enterprise' ? 'free' : 'enterprise';
    await stores.organizations.replace(before, { ...before, plan, updatedAt: isoTime(time.now()) });
  };
  callApi(world, { name: `another plan of ${id}`, call, changed: id });
};

/** `POST …/retry`, as somebody clicks it. */
const retryByHand: Action = (world) => {
  const dossiers = [...world.book.dossiers.values()];
  if (dossiers.length === 0) return;
  const dossier = world.chance.pick(dossiers);
  const { endpointId, eventId } = dossier;
  const organizationId = world.book.events.get(eventId)?.organizationId ?? '';
  const call = async ({ deliveries }: ApiPorts): Promise<void> => {
    let round = 1;
    const send: typeof deliveries.send = async (message) => {
      await deliveries.send(message);
      round = message.round;
    };
    await retry({ deliveries: { ...deliveries, send } }, { organizationId, endpointId, eventId });
    dossier.owedRound = Math.max(dossier.owedRound, round);
  };
  callApi(world, { name: `retrying ${short(endpointId)}/${short(eventId)} by hand`, call });
};

/** Somebody asks for what belongs to another organization. */
const retryOfOthers: Action = (world) => {
  const [dossier] = world.book.dossiers.values();
  if (dossier === undefined) return;
  const { endpointId, eventId } = dossier;
  const call = async (ports: ApiPorts): Promise<void> => {
    try {
      await retry(ports, { organizationId: 'org_other', endpointId, eventId });
      world.violate('I14', "another organization's delivery can be retried");
    } catch (fault) {
      if (!(fault instanceof NotFound)) throw fault;
    }
  };
  callApi(world, { name: 'retrying what is not one’s own', call });
};

interface Params {
  readonly organizationId: string;
  readonly endpointId: string;
  readonly eventId: string;
}

async function retry({ deliveries }: Pick<ApiPorts, 'deliveries'>, params: Params): Promise<void> {
  const route = deliveryRoutes(deliveries).find(({ operationId }) => operationId === 'retryDelivery');
  if (route === undefined) throw new Error('the API has no retry');
  const caller = { subject: 'somebody', organizationId: params.organizationId, scopes: new Set<never>() };
  await route.run({ params: { ...params }, query: {}, body: undefined, caller });
}

/** "Start DLQ redrive", of everything; what falls again within a minute is moved again, at no endless speed. */
export const redrive: Action = ({ sqs, queues, book, journal }) => {
  const sourceArn = queues.deliveriesDead.arn;
  if (sqs.moveTasks.list(sourceArn).some(({ status }) => status === 'RUNNING')) return;
  book.redrives += 1;
  journal.tell('operator', () => `redrives ${queues.deliveriesDead.counts().visible} messages`);
  sqs.moveTasks.start({ sourceArn, messagesPerSecond: 20 });
};

export const poison: Action = async ({ queues, book, chance }) => {
  book.poison += 1;
  const body = chance.pick(['not json', '{"v":99}', '{"v":1,"organizationId":"org_1"}']);
  await queues.deliveries.send({ body, groupId: 'poison' });
};

const changeReceiver: Action = (world) => {
  const { chance, book, receivers, time, journal } = world;
  const id = chance.pick(book.endpointIds);
  receivers.get(id)?.change(time.now(), drawBehaviour(world));
  journal.tell('receiver', () => `${short(id)} behaves otherwise`);
};

/** DynamoDB deletes what has expired, some time after. */
const sweep: Action = ({ tables, time, journal }) => {
  const count = tables.sweep(time.now());
  journal.tell('dynamodb', () => `deletes ${count} items`);
};

/** All receivers take everything. */
export const heal: Action = ({ receivers, time, journal }) => {
  for (const receiver of receivers.values()) receiver.change(time.now(), healthy);
  journal.tell('receivers', () => 'take everything');
};

/** What people do, each as often as its weight says. */
export const actions: readonly (readonly [weight: number, action: Action])[] = [
  [6, changeReceiver],
  [3, switchOff],
  [3, switchOn],
  [2, flicker],
  [1, remove],
  [2, changePolicy],
  [1, changeTypes],
  [1, changeScheme],
  [1, changeAddress],
  [2, resumeIt],
  [2, rotate],
  [1, rotateSigningKeys],
  [2, changePlan],
  [4, retryByHand],
  [0.5, retryOfOthers],
  [4, redrive],
  [2, recoverSome],
  [0.5, cancelRecovery],
  [3, tidyUp],
  [0.5, poison],
  [0.3, sweep],
];
