import type { Delivery } from '../../delivery/delivery.ts';
import { readMessage } from '../../delivery/message.ts';
import type { DeliveryMessage } from '../../delivery/message.ts';
import { nameOfFault } from '../../shared/log.ts';
import type { Log } from '../../shared/log.ts';

/** A message of the dead-letter queue. */
export interface Letter {
  /** Of the message: the same at every receive. */
  readonly id: string;
  /** Of this receive. */
  readonly receipt: string;
  readonly body: string;
}

export interface LetterQueue {
  /** A few letters that nobody holds, held for this run; none when there are no more. */
  readonly receive: () => Promise<readonly Letter[]>;
  /** Deletes letters; gives those that are still there. */
  readonly remove: (letters: readonly Letter[]) => Promise<readonly Letter[]>;
  /** Shows letters to everybody again; gives those that are still hidden. */
  readonly release: (letters: readonly Letter[]) => Promise<readonly Letter[]>;
}

export interface TidyPorts {
  readonly queue: LetterQueue;
  readonly readDelivery: (endpointId: string, eventId: string) => Promise<Delivery | undefined>;
  /** Milliseconds that the function may still run. */
  readonly remainingMs: () => number;
  readonly log: Log;
}

/** How long a letter is hidden while a run holds it: longer than the function may run (lib/upkeep.ts). */
export const holdSeconds = 900;

/** SQS lets 120,000 messages of a queue be in flight, then it is silent: a person with the console needs some, too. */
const heldMax = 100_000;

/** Enough for a batch whose every call is slow, and to give back all that is held. */
const endMs = 120_000;

/**
 * Looks once at every letter and removes those that no longer tell the truth: what stays is held until the end, so
 * that no letter is met twice, and then given back. Whoever dies on the way loses nothing: what was held comes back
 * when its visibility ends, and what was removed will never be true again, as a round that has ended stays so.
 */
export async function tidy(ports: TidyPorts): Promise<void> {
  const { queue, remainingMs } = ports;
  const held = new Map<string, Letter>();
  const seen: Seen = { best: new Map(), opening: [] };
  const remove = async (untrue: readonly Letter[]) => {
    const left = new Set(await queue.remove(untrue));
    for (const letter of untrue) if (!left.has(letter)) held.delete(letter.id);
  };
  let examined = 0;
  try {
    while (held.size < heldMax && remainingMs() > endMs) {
      const letters = await queue.receive();
      if (letters.length === 0) break;
      // One that SQS hands out although it is held is no copy of itself; its latest receipt is the one that counts.
      const fresh = new Map(letters.filter(({ id }) => !held.has(id)).map((letter) => [letter.id, letter]));
      for (const letter of letters) held.set(letter.id, letter);
      examined += fresh.size;
      await remove((await known(ports, [...fresh.values()])).flatMap((one) => untrueOf(one, seen)));
    }
    await remove(supersededOf(seen).filter(({ id }) => held.has(id)));
  } finally {
    await giveBack(ports, [...held.values()]);
    ports.log('dead_letters.tidied', { examined, removed: examined - held.size, kept: held.size });
  }
}

interface Known {
  readonly letter: Letter;
  readonly message: DeliveryMessage;
  readonly delivery: Delivery | undefined;
}

/** Letters with their deliveries; the reads travel together. What cannot be read is nobody's to judge. */
async function known({ readDelivery }: TidyPorts, letters: readonly Letter[]): Promise<Known[]> {
  const found = letters.map(async (letter) => {
    const message = readMessage(letter.body);
    if (message === undefined) return [];
    return [{ letter, message, delivery: await readDelivery(message.endpointId, message.eventId) }];
  });
  return (await Promise.all(found)).flat();
}

interface Seen {
  /** The copy that says most, of each round of each delivery. */
  readonly best: Map<string, Known>;
  /** Letters marked dead whose delivery is dead in the round that they open. */
  readonly opening: Known[];
}

/** What need not stay once this letter has been seen: itself, or the copy that was the best so far. */
function untrueOf(one: Known, { best, opening }: Seen): Letter[] {
  if (isOver(one)) return [one.letter];
  const name = nameOf(one.message, one.message.round);
  const rival = best.get(name);
  if (rival !== undefined && !saysMore(one.message, rival.message)) return [one.letter];
  best.set(name, one);
  if (one.delivery?.status === 'dead' && one.delivery.round > one.message.round) opening.push(one);
  return rival === undefined ? [] : [rival.letter];
}

/** Those of which the round that they open has a letter of its own. */
function supersededOf({ best, opening }: Seen): Letter[] {
  return opening
    .filter(({ message }) => best.get(nameOf(message, message.round + 1))?.message.dead !== undefined)
    .map(({ letter }) => letter);
}

function nameOf({ endpointId, eventId }: DeliveryMessage, round: number): string {
  return `${endpointId} ${eventId} ${round}`;
}

/**
 * Whether the ledger says that the letter's round has ended otherwise than dead, or that a later one has begun.
 *
 * Without a record nothing is proved. One that is being retried, or whose record is of an earlier round, may have lost
 * this message before its attempt was made or what followed was sent: it may be the only one that can go on. So may a
 * letter marked dead that was redriven, if the functions died that took further the round which it opened, or
 * that should have sent the letter of that round.
 */
function isOver({ message: { round, dead }, delivery }: Known): boolean {
  if (delivery === undefined || delivery.round < round) return false;
  if (delivery.status === 'retrying' || delivery.status === 'dead')
    return delivery.round > (dead === undefined ? round : round + 1);
  return true;
}

/** Of two copies the one marked dead stays, for it alone opens a round when it is redriven; else the later attempt. */
function saysMore(one: DeliveryMessage, other: DeliveryMessage): boolean {
  const isMarked = one.dead !== undefined;
  return isMarked === (other.dead !== undefined) ? one.attempt > other.attempt : isMarked;
}

/** As many as are given back at the same time: ten requests. */
const releaseMax = 100;

/** Does not fail: what is not given back comes back by itself. */
async function giveBack({ queue, log }: TidyPorts, letters: readonly Letter[]): Promise<void> {
  for (let from = 0; from < letters.length; from += releaseMax) {
    const some = letters.slice(from, from + releaseMax);
    try {
      const hidden = await queue.release(some);
      if (hidden.length > 0) log('release.failed', { messages: hidden.length });
    } catch (fault) {
      log('release.failed', { messages: some.length, fault: nameOfFault(fault) });
    }
  }
}
