import { outgoing, readMessage } from '../../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import { catalogueOf } from '../../../lambdas/event/catalogue.ts';
import { unpackBody } from '../../../lambdas/event/body.ts';
import type { EventType } from '../../../lambdas/event/event-type.ts';
import type { StoredEvent } from '../../../lambdas/event/event.ts';
import type { OperatorEntry } from '../../../lambdas/event/operator-event.ts';
import type { Organization } from '../../../lambdas/organization/organization.ts';
import { outgoingFalling } from '../../../lambdas/routing/falling.ts';
import { receive } from '../../../lambdas/routing/receive.ts';
import type { ReceivePorts } from '../../../lambdas/routing/receive.ts';
import { makeTellNotJudged } from '../../../lambdas/routing/tell-not-judged.ts';
import { rememberUnknown } from '../../../lambdas/routing/remember-unknown.ts';
import { workThroughBatch } from '../../../lambdas/shared/batch.ts';
import { cached } from '../../../lambdas/shared/cache.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aClock } from '../../fakes/clock.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { memoryHealth } from '../../fakes/health.ts';
import { memoryLedger } from '../../fakes/ledger.ts';
import { memoryLog } from '../../fakes/log.ts';
import { memoryQueue } from '../../fakes/queue.ts';
import type { MemoryQueue } from '../../fakes/queue.ts';

interface Wish {
  readonly organization?: Organization;
  readonly endpoints?: readonly Endpoint[];
  /** Event types that an operator has added. */
  readonly eventTypes?: readonly EventType[];
  readonly schemas?: ReceivePorts['schemas'];
}

export type Routing = ReturnType<typeof aRouting>;

/** Routing between fakes: the queues `events` and `events-falling` before it, the queue `deliveries` behind it. */
export function aRouting({
  organization = anOrganization(),
  endpoints = [],
  eventTypes = [],
  schemas = 'warn',
}: Wish = {}) {
  const clock = aClock();
  const ledger = memoryLedger(clock.now);
  const health = memoryHealth(clock.now);
  const configuration = memoryConfiguration(undefined, clock.now);
  // As lib/ingest.ts has them: six times the function's 30 s, and 50 receives, or three.
  const events = memoryQueue({ now: clock.now, visibilityMs: 180_000, maxReceiveCount: 50 });
  const falling = memoryQueue({ now: clock.now, visibilityMs: 180_000, maxReceiveCount: 3 });
  const deliveries = memoryQueue({ now: clock.now });
  const journal = memoryLog();
  const announced: OperatorEntry[] = [];
  configuration.setOrganization(organization);
  for (const endpoint of endpoints) configuration.set(endpoint);

  const looks: string[] = [];
  // Look-ups of the same moment are one, as in the handler, but nothing is kept: a test need not wait for a change.
  const readSubscribers = cached(
    (organizationId = '') => {
      looks.push(organizationId);
      return configuration.readSubscribers(organizationId);
    },
    () => false,
  );
  const ports: { -readonly [Name in keyof ReceivePorts]: ReceivePorts[Name] } = {
    lookUpSubscribers: rememberUnknown(readSubscribers, clock.now),
    readHealth: health.read,
    readCatalogue: () => Promise.resolve(catalogueOf(eventTypes)),
    versions: configuration.versions,
    add: ledger.events.add,
    announce: (entry) => Promise.resolve(void announced.push(entry)),
    send: (message) => deliveries.send(outgoing(message, 0)),
    fall: (record) => falling.send(outgoingFalling(record)),
    isFalling: ({ eventSourceARN }) => eventSourceARN.endsWith(':events-falling'),
    clock: { now: clock.now, retentionDays: 30 },
    schemas,
    tellNotJudged: makeTellNotJudged({
      announce: (entry) => Promise.resolve(void announced.push(entry)),
      now: clock.now,
      log: journal.log,
    }),
    log: journal.log,
  };
  const work = async (queue: MemoryQueue): Promise<void> => {
    const name = queue === falling ? 'events-falling' : 'events';
    const eventSourceARN = `arn:aws:sqs:us-east-1:000000000000:${name}`;
    const records = queue.receive().map((record) => ({ ...record, eventSourceARN }));
    const { release } = queue;
    const answer = await workThroughBatch({ release, log: journal.log }, records, (record) =>
      receive(ports, record),
    );
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const record of records) if (!failed.has(record.messageId)) queue.delete(record);
  };
  /** Works on the next batch, when it becomes visible; false when there is none. */
  const step = async (): Promise<boolean> => {
    const [next] = [events, falling]
      .flatMap((queue) => {
        const atMs = queue.nextAtMs();
        return atMs === undefined ? [] : [{ queue, atMs }];
      })
      .toSorted((one, other) => one.atMs - other.atMs);
    if (next === undefined) return false;
    clock.passTo(next.atMs);
    await work(next.queue);
    return true;
  };
  const publishText = (body: string) => events.send({ body, delaySeconds: 0, groupId: 'org_1' });

  return {
    clock,
    ledger,
    configuration,
    health,
    events,
    falling,
    deliveries,
    journal,
    /** What operators were told. */
    announced,
    /** Organizations that were looked up, each time. */
    looks,
    /** What may be replaced, to play a fault. */
    ports,
    step,
    publishText,
    publish: (event: unknown) => publishText(JSON.stringify(event)),
    /** What lies in `events-dead`. */
    dead: () => [...events.dead, ...falling.dead],
    /** "Start DLQ redrive" of `events-dead`: each message goes back to the queue that it fell from. */
    redrive: () => {
      events.redrive();
      falling.redrive();
    },
    /** Works until both queues are empty. */
    settle: async () => {
      for (let steps = 0; await step(); steps += 1) if (steps > 200) throw new Error('round and round');
    },
    /** Messages that were sent to `deliveries`, read. */
    sent: (): DeliveryMessage[] => deliveries.sent.flatMap(({ body }) => readMessage(body) ?? []),
    stored: async (organizationId = 'org_1'): Promise<readonly StoredEvent[]> =>
      (await ledger.events.list(organizationId, { limit: 250 })).data,
    /** The only event that is stored. */
    onlyStored: async (): Promise<StoredEvent> => {
      const [event, ...others] = (await ledger.events.list('org_1', { limit: 250 })).data;
      if (event === undefined || others.length > 0) throw new Error('one event should be stored');
      return event;
    },
  };
}

/** The body of a stored event, as receivers get it. */
export function bodyOf({ body }: StoredEvent): string {
  if (body === undefined) throw new Error('the event has no body');
  return Buffer.from(unpackBody(body)).toString();
}
