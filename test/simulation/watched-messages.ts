import { z } from 'zod';
import { isFirst, readMessage } from '../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../lambdas/delivery/message.ts';
import type { Announce } from '../../lambdas/event/operator-event.ts';
import { parseJson } from '../../lambdas/shared/json.ts';
import type { Log } from '../../lambdas/shared/log.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { check } from './invariants/check.ts';
import { ofMessage } from './invariants/of-messages.ts';
import { secretIn } from './invariants/secrecy.ts';
import type { Life } from './life.ts';
import { short } from './names.ts';
import type { World } from './world.ts';

interface Sent {
  /** Of the message. */
  readonly id: string;
  readonly queue: Queue;
  readonly body: string;
  readonly delaySeconds: number;
}

/** Looks at a message that SQS takes. */
export function watchSent(world: World, life: Life, { id, queue, body, delaySeconds }: Sent): void {
  const { name } = queue.definition;
  const text = queue === world.queues.eventsFalling ? undefined : secretIn(body);
  if (text !== undefined) world.violate('I12', `a message: ${text}`);
  const message = queue === world.queues.recovery ? undefined : readMessage(body);
  world.journal.tell(
    life.name,
    () => `sends ${message === undefined ? body : nameOf(message)} to ${name}, ${delaySeconds} s`,
  );
  if (message === undefined) return;
  const { endpointId, eventId, trigger, pass } = message;
  const dossier = world.book.dossier(endpointId, eventId);
  const isRecovered = life.name.startsWith('recover') && pass === undefined;
  if (isRecovered) world.book.recoveredMs.push(world.time.now() + delaySeconds * 1000);
  // What a recovery finds lost is asked for as it was.
  if (trigger === 'manual' || isRecovered) dossier.askedFor += 1;
  if (pass !== undefined) {
    if (dossier.lastPass !== undefined && dossier.lastPass < pass) dossier.repassed += 1;
    dossier.lastPass = pass;
  }
  if (life.name.startsWith('wake') || life.name.startsWith('recover'))
    life.sent.push({ endpointId, eventId });
  // It was under way when its sender died, who can never tell.
  if (life.isOver) world.book.disturb({ endpointId, eventId });
  if (isFirst(message)) dossier.dueAtMs ??= world.time.now();
  if (message.dead !== undefined) return;
  check(world, ofMessage, { world, dossier, message });
  dossier.messages.set(id, message);
}

/** A letter that is redriven within a minute of its death falls once more; clocks may differ by a second. */
const youngMs = 62_000;

/**
 * Looks at each letter that a redrive takes out of the dead-letter queue; one that somebody else holds at that time, such
 * as the tidy-up, stays where it is.
 */
export function watchRedriven({ queues: { deliveriesDead }, book, time }: World): void {
  const take = deliveriesDead.takeForMove.bind(deliveriesDead);
  deliveriesDead.takeForMove = () => {
    const taken = take();
    const message = readMessage(taken?.message.body ?? '');
    const isYoung = time.now() - Date.parse(message?.dead?.at ?? '') < youngMs;
    if (message === undefined || isYoung) return taken;
    // What is dead by that very letter begins a new round; by then anything else may have become of the others.
    const dossier = book.dossier(message.endpointId, message.eventId);
    const { delivery } = dossier;
    if (delivery?.status === 'dead' && delivery.round === message.round) {
      dossier.owedRound = Math.max(dossier.owedRound, message.round + 1);
      dossier.inVain = 0;
    }
    return taken;
  };
}

function nameOf({ attempt, round, dead, outcome, pass, endpointId, eventId }: DeliveryMessage): string {
  const what = dead === undefined ? `attempt ${attempt}${outcome === undefined ? '' : ' (made)'}` : 'dead';
  const of = pass === undefined ? '' : `, pass ${pass}`;
  return `${short(endpointId)}/${short(eventId)} ${what}, round ${round}${of}`;
}

export function watchLog(world: World, life: Life): Log {
  return function log(message, fields) {
    for (const [name, value] of Object.entries(fields)) {
      const text = typeof value === 'string' ? secretIn(value) : undefined;
      if (text !== undefined) world.violate('I12', `${message}, ${name}: ${text}`);
    }
    if (world.journal.isRead && !message.endsWith('attempted') && message !== 'batch.received') {
      const { code = '', reason = '', cause = '', fault = '', endpointId = '', eventId = '' } = fields;
      const what = [code, reason, cause, fault].join(' ').trim();
      world.journal.tell(
        life.name,
        () => `${message} ${short(String(endpointId))}/${short(String(eventId))} ${what}`,
      );
    }
  };
}

const dead = z.object({ endpointId: z.string(), eventId: z.string() });

export function watchAnnounce(world: World, life: Life): Announce {
  return function announce({ detailType, detail }) {
    world.journal.tell(life.name, () => `tells ${detailType}`);
    const text = secretIn(detail);
    if (text !== undefined) world.violate('I12', `${detailType}: ${text}`);
    if (detailType === 'delivery.dead') {
      const { endpointId, eventId } = dead.parse(parseJson(detail));
      world.book.announced.add(`${endpointId} ${eventId}`);
    }
    return Promise.resolve();
  };
}
