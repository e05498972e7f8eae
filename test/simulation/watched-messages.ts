import { z } from 'zod';
import { outgoing } from '../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../lambdas/delivery/message.ts';
import type { Announce } from '../../lambdas/event/operator-event.ts';
import { parseJson } from '../../lambdas/shared/json.ts';
import type { Log } from '../../lambdas/shared/log.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { secretIn } from './invariants/secrecy.ts';
import type { Life } from './life.ts';
import { short } from './names.ts';
import type { World } from './world.ts';

/** The queue that a delivery goes to. */
export function watchSend(world: World, life: Life, queue: Queue) {
  return async function send(message: DeliveryMessage, delaySeconds = 0): Promise<void> {
    const { endpointId, eventId } = message;
    const sent = outgoing(message, delaySeconds);
    world.journal.tell(
      life.name,
      () => `sends ${nameOf(message)} to ${queue.definition.name}, ${delaySeconds} s`,
    );
    const text = secretIn(sent.body);
    if (text !== undefined) world.violate('I12', `a message: ${text}`);
    if (message.trigger === 'manual') world.book.dossier(endpointId, eventId).askedFor += 1;
    await queue.send(sent);
  };
}

function nameOf({ attempt, round, dead, endpointId, eventId }: DeliveryMessage): string {
  const what = dead === undefined ? `attempt ${attempt}` : 'dead';
  return `${short(endpointId)}/${short(eventId)} ${what}, round ${round}`;
}

export function watchLog(world: World, life: Life): Log {
  return function log(message, fields) {
    for (const [name, value] of Object.entries(fields)) {
      const text = typeof value === 'string' ? secretIn(value) : undefined;
      if (text !== undefined) world.violate('I12', `${message}, ${name}: ${text}`);
    }
    if (world.journal.isRead && !message.endsWith('attempted')) {
      const { code = '', reason = '', cause = '', endpointId = '', eventId = '' } = fields;
      const what = [code, reason, cause].join(' ').trim();
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
