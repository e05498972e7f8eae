import { eventIdOf } from '../../lambdas/event/event-id.ts';
import { isoTime } from '../../lambdas/shared/time.ts';
import { aBusEvent } from '../fakes/a-bus-event.ts';
import { payloadMarker } from './invariants/secrecy.ts';
import { short } from './names.ts';
import type { World } from './world.ts';

const types = [
  'pipeline.run.failed',
  'pipeline.run.failed',
  'pipeline.run.started',
  'security.policy.changed',
  'governance.contract.violated',
] as const;

/** A producer publishes an event; EventBridge brings it to the queue, sometimes twice. */
export async function publish(world: World): Promise<void> {
  const { chance, book, time } = world;
  const draw = chance.random();
  if (draw < 0.01) return publishStray(world);
  const receivedAtMs = Math.floor(time.now() / 1000) * 1000;
  const organizationId = book.organizationIds.length > 1 ? chance.pick(book.organizationIds) : 'org_1';
  const isUnknown = draw < 0.04;
  // Of what is refused nothing is read, not even when it happened.
  const isDated = !isUnknown && chance.isLucky(0.3);
  const timeMs = isDated ? receivedAtMs - chance.below(600_000) : receivedAtMs;
  const idempotencyKey = isDated && chance.isLucky(0.5) ? `key-${book.published.size + 1}` : undefined;
  const type = isUnknown ? 'no.such.type' : chance.pick(types);
  await publishOne(world, { organizationId, type, ...(isDated ? { timeMs } : {}), idempotencyKey });
}

interface Publication {
  readonly organizationId: string;
  readonly type: string;
  /** When it happened; when the bus has it, unless it says so itself. */
  readonly timeMs?: number;
  readonly idempotencyKey?: string | undefined;
}

/** @returns the id of the event */
export async function publishOne(world: World, publication: Publication): Promise<string> {
  const { book, time } = world;
  const { organizationId, type, idempotencyKey } = publication;
  const number = book.published.size + 1;
  const receivedAtMs = Math.floor(time.now() / 1000) * 1000;
  const { timeMs = receivedAtMs } = publication;
  const busEventId = `bus-${number}`;
  const data = { number, secret: payloadMarker };
  const detail = {
    ...{ organizationId, data, resource: 'pipeline/42' },
    ...(publication.timeMs === undefined ? {} : { occurredAt: isoTime(timeMs) }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
  const id = eventIdOf({ organizationId, timeMs, busEventId, idempotencyKey });
  const body = Buffer.from(
    JSON.stringify({ id, type, timestamp: isoTime(timeMs), organizationId, resource: 'pipeline/42', data }),
  );
  book.published.set(id, { organizationId, type, body });
  await bring(world, JSON.stringify(aBusEvent({ id: busEventId, type, timeMs: receivedAtMs, detail })), id);
  return id;
}

async function bring(world: World, text: string, id: string): Promise<void> {
  const { chance, weather, book, queues } = world;
  book.sentToBus.set(text, id);
  const copies = chance.isLucky(weather.duplicate) ? 2 : 1;
  for (let copy = 1; copy <= copies; copy += 1) {
    if (copy > 1) book.disturb({ eventId: id });
    await queues.events.send({ body: text, groupId: 'org' });
  }
  world.journal.tell('producer', () => `publishes ${short(id)}${copies > 1 ? ', which comes twice' : ''}`);
}

/** An event of nobody's, or none at all: both fall into `events-dead`. */
async function publishStray({ chance, book, queues }: World): Promise<void> {
  book.strays += 1;
  const nobody = aBusEvent({ id: `stray-${book.strays}`, detail: { organizationId: 'org_none' } });
  const body = chance.isLucky(0.5) ? JSON.stringify(nobody) : `no event ${book.strays}`;
  await queues.events.send({ body, groupId: 'stray' });
}

/** EventBridge brings an event once more, long after. */
export async function publishAgain({ chance, book, queues, journal }: World): Promise<void> {
  const sent = [...book.sentToBus];
  if (sent.length === 0) return;
  const [text, id] = chance.pick(sent);
  book.disturb({ eventId: id });
  journal.tell('bus', () => `brings ${short(id)} again`);
  await queues.events.send({ body: text, groupId: 'org' });
}
