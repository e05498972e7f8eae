import { isEntitled } from '../../../lambdas/organization/organization.ts';
import { readMessage } from '../../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { testStartMs } from '../../fakes/clock.ts';
import type { Book, Dossier } from '../book.ts';
import { contentsOf } from '../contents.ts';
import { check } from './check.ts';
import { lookForGaps } from './gaps.ts';
import { excusesOf, isStranded } from '../outcomes.ts';
import { short } from '../names.ts';
import { tidyAtRest } from '../upkeep.ts';
import type { World } from '../world.ts';

/** What is left when nothing moves any more. */
interface Rest {
  readonly world: World;
  readonly book: Book;
  /** What lies in `deliveries-dead`, by the delivery it is about. */
  readonly letters: ReadonlyMap<string, readonly DeliveryMessage[]>;
  /** Messages there that are none of ours. */
  readonly others: number;
  /** Messages that fell out of the lanes that live. */
  readonly lanesDead: readonly string[];
  readonly strays: number;
  readonly unfinishedJobs: number;
  /** Messages of recoveries whose function died twenty times. */
  readonly fallenJobs: number;
}

/** Looks at everything, when all has come to rest. */
export async function lookAtRest(world: World): Promise<void> {
  check(world, atRest, await restOf(world));
  await tidyAtRest(world);
  const rest = await restOf(world);
  check(world, whenTidied, rest);
  await lookForGaps(world);
}

async function restOf(world: World): Promise<Rest> {
  const { book, queues, stores } = world;
  const messages = (await contentsOf(queues.deliveriesDead)).map(readMessage);
  const known = messages.filter((message) => message !== undefined);
  const running = book.organizationIds.map(async (id) => {
    const { data } = await stores.jobs.list(id, { limit: 250 });
    return data.filter(({ status }) => status === 'running').length;
  });
  return {
    ...{ world, book },
    letters: Map.groupBy(known, ({ endpointId, eventId }) => `${endpointId} ${eventId}`),
    others: messages.length - known.length,
    lanesDead: await contentsOf(queues.lanesDead),
    // One whose sending on was made and not acknowledged falls twice.
    strays: new Set(await contentsOf(queues.eventsDead)).size,
    unfinishedJobs: (await Promise.all(running)).reduce((sum, count) => sum + count, 0),
    fallenJobs: (await contentsOf(queues.recoveryDead)).length,
  };
}

/** The first fault in any of the dossiers. */
const each =
  (faultIn: (dossier: Dossier, rest: Rest) => string | undefined) =>
  (rest: Rest): string | undefined => {
    for (const dossier of rest.book.dossiers.values()) {
      const fault = faultIn(dossier, rest);
      if (fault !== undefined) return `${short(dossier.endpointId)}/${short(dossier.eventId)}: ${fault}`;
    }
    return undefined;
  };

function everyEventIsStored({ book }: Rest): string | undefined {
  const lost = [...book.published.keys()].find((id) => !book.events.has(id));
  return lost === undefined ? undefined : `the event ${short(lost)} was published and never stored`;
}

function everyDeliveryIsKnown({ book }: Rest): string | undefined {
  for (const { id, endpoints } of book.events.values())
    for (const endpointId of endpoints) {
      const dossier = book.dossier(endpointId, id);
      if ((dossier.delivery ?? dossier.swept) === undefined)
        return `of ${short(endpointId)}/${short(id)} nothing is left`;
    }
  return undefined;
}

/** What has expired is gone, though DynamoDB may not have deleted it yet. */
function isOver({ expiresAt }: { readonly expiresAt: number }, { time }: World): boolean {
  return expiresAt * 1000 <= time.now();
}

const everyDeliveryHasEnded = each((dossier, rest) => {
  const { world, book } = rest;
  const { delivery, owedRound } = dossier;
  if (delivery === undefined || isOver(delivery, world) || isStranded(book, dossier)) return undefined;
  if (delivery.status === 'retrying')
    return `it waits for attempt ${delivery.attemptCount + 1}, and nobody comes for it`;
  if (delivery.round >= owedRound || hasFallenBack(dossier, rest)) return undefined;
  return `round ${owedRound} was asked for and never began`;
});

/** A redriven letter is received three times (lib/delivery.ts); where all of them are in vain it lies where it lay before. */
function hasFallenBack({ key, delivery, inVain }: Dossier, { letters }: Rest): boolean {
  const lies = letters.get(key)?.some(({ dead, round }) => dead !== undefined && round === delivery?.round);
  return lies === true && inVain >= fallingReceivesMax;
}

const fallingReceivesMax = 3;

/** What is observed of an endpoint says that nothing waits any more, and nothing is unsaid. */
function healthIsAtRest({ book }: Rest): string | undefined {
  for (const endpointId of book.endpointIds) {
    const { backlog, unsaid } = book.health(endpointId).latest;
    if (backlog !== undefined) return `${short(endpointId)} has a backlog, and nothing waits`;
    if (unsaid.length > 0) return `of ${short(endpointId)} it is unsaid that it is ${unsaid[0]?.kind ?? ''}`;
  }
  return undefined;
}

const deadLieInTheQueue = each((dossier, rest) => {
  const { key, delivery } = dossier;
  if (delivery?.status !== 'dead' || isStranded(rest.book, dossier)) return undefined;
  // What has been forgotten cannot be brought back: by us, or by SQS.
  const nowMs = rest.world.time.now();
  if (isOver(delivery, rest.world) || Date.parse(delivery.updatedAt) < nowMs - keptMsMax) return undefined;
  const own =
    rest.letters.get(key)?.some(({ dead, round }) => dead !== undefined && round === delivery.round) ?? false;
  if (!own) return 'it is dead, and does not lie in the dead-letter queue';
  return rest.book.announced.has(key) ? undefined : 'it is dead, and nobody was told';
});

const onlyTheDeadLieThere = each((dossier, { book, letters }) => {
  const { key, delivery } = dossier;
  const lie = letters.get(key)?.length ?? 0;
  if (lie === 0) return undefined;
  const excuses = excusesOf(book, dossier);
  if (delivery?.status !== 'dead' && excuses === 0)
    return `it lies in the dead-letter queue, and is ${delivery?.status ?? 'unknown'}`;
  return lie > 1 + excuses ? `it lies in the dead-letter queue ${lie} times` : undefined;
});

/** A dead letter is kept for fourteen days from its first sending on, which was before its delivery was dead. */
const keptMsMax = 10 * 86_400_000;

function onlyStraysFall({ book, strays, world }: Rest): string | undefined {
  if (world.time.now() - testStartMs > keptMsMax) return undefined;
  return strays === book.strays ? undefined : `${strays} events fell, and ${book.strays} had to`;
}

/** I22: in `deliveries-dead` lie letters that are marked, in `lanes-dead` what is poisonous. */
function onlyLettersLieThere({ letters, others, lanesDead, book, world }: Rest): string | undefined {
  const unmarked = [...letters.values()].flat().find(({ dead }) => dead === undefined);
  if (unmarked !== undefined)
    return `attempt ${unmarked.attempt} of ${short(unmarked.eventId)} lies unmarked`;
  if (others > 0) return `${others} poisonous messages lie among the dead letters`;
  if (world.time.now() - testStartMs > keptMsMax) return undefined;
  const live = lanesDead.find((body) => readMessage(body) !== undefined);
  if (live !== undefined) return `a message that lived has fallen: ${live}`;
  return lanesDead.length === book.poison
    ? undefined
    : `${lanesDead.length} poisonous messages fell, of ${book.poison}`;
}

/** A crash repeats a request at worst. */
const noNeedlessRequests = each((dossier, { book }) => {
  const { requests, recorded, overtaken } = dossier;
  const copies = [...overtaken.values()].reduce((sum, times) => sum + times, 0);
  const unrecorded = requests.length - recorded - copies;
  return unrecorded > excusesOf(book, dossier) ? `${unrecorded} requests were never recorded` : undefined;
});

function recoveriesHaveEnded({ unfinishedJobs, fallenJobs }: Rest): string | undefined {
  return unfinishedJobs > fallenJobs ? `${unfinishedJobs} recoveries never ended` : undefined;
}

/** An hour after all was calm everything was asked for that an endpoint lacks, and its receiver takes it. */
const nothingIsLacking = each((dossier, { world, book }) => {
  const { endpointId, eventId, delivery } = dossier;
  const [endpoint, event] = [book.endpoint(endpointId).latest, book.events.get(eventId)];
  if (book.recoveredAtMs === undefined || endpoint?.active !== true || event === undefined) return undefined;
  const organization = book.organization(endpoint.organizationId).latest;
  if (organization === undefined || !isEntitled(organization)) return undefined;
  if (book.health(endpointId).latest.off !== undefined) return undefined;
  if (event.expiresAt * 1000 <= world.time.now() || delivery?.status === 'delivered') return undefined;
  return `it is ${delivery?.status ?? 'missing'}, though everything was recovered`;
});

/** The depth of the dead-letter queue is the truth: a letter for each dead delivery, and none for what has ended. */
const lettersAreTrue = each((dossier, { letters, world }) => {
  const { key, delivery } = dossier;
  const own = letters.get(key) ?? [];
  // Of what has been forgotten nothing can be said.
  if (delivery === undefined || isOver(delivery, world)) return undefined;
  const hasEnded = delivery.status === 'delivered' || delivery.status === 'discarded';
  const past = own.find(({ round }) => round < delivery.round);
  const isClosed = delivery.status === 'dead' && own.some((one) => one.dead && one.round === delivery.round);
  if (past !== undefined && (hasEnded || isClosed))
    return `a letter of round ${past.round} lies there, and it is in round ${delivery.round}`;
  const present = own.filter(({ round }) => round === delivery.round);
  if (hasEnded && present.length > 0) return `a letter lies there, and it is ${delivery.status}`;
  return present.length > 1 ? `${present.length} letters lie there` : undefined;
});

const whenTidied = [
  ['I1', deadLieInTheQueue],
  ['I1', everyDeliveryIsKnown],
  ['I1', everyDeliveryHasEnded],
  ['I1', lettersAreTrue],
] as const;

const atRest = [
  ['I1', everyEventIsStored],
  ['I1', everyDeliveryIsKnown],
  ['I1', everyDeliveryHasEnded],
  ['I1', deadLieInTheQueue],
  ['I1', onlyTheDeadLieThere],
  ['I1', onlyStraysFall],
  ['I1', healthIsAtRest],
  ['I22', onlyLettersLieThere],
  ['I1', recoveriesHaveEnded],
  ['I1', nothingIsLacking],
  ['I6', noNeedlessRequests],
] as const;
