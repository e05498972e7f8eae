import { describe, expect, test } from 'vitest';
import { eventIdOf } from '../../../lambdas/event/event-id.ts';
import { fingerprintOf, resourcesOf } from '../../../lambdas/event/publication/fingerprint.ts';
import { publishOnce, queuedEvent } from '../../../lambdas/event/publication/publish-once.ts';
import { makePublicationStore } from '../../../lambdas/event/publication/store.ts';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aBusEvent } from '../../fakes/a-bus-event.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { aRouting, bodyOf } from './a-routing.ts';
import type { Routing } from './a-routing.ts';

const timeMs = testStartMs - 60_000;
const same = { occurredAt: isoTime(timeMs), idempotencyKey: 'run-77' };
const failed = { type: 'pipeline.run.failed', data: { amount: 10 } };
const id = eventIdOf({ organizationId: 'org_1', timeMs, idempotencyKey: 'run-77', busEventId: '' });

let count = 0;

interface Said {
  readonly type: string;
  readonly data: object;
}

/** Publishes as the API does; what it puts on the bus comes to the queue under an id of the bus. */
async function publishByApi(
  routing: Routing,
  said: Said = failed,
  { brought = said.data, isLost = false } = {},
) {
  const { client, ledger } = routing.ledger.tables;
  const event = queuedEvent(
    { id, organizationId: 'org_1', timeMs, ...said },
    { nowMs: routing.clock.now(), retentionDays: 30, queuedBy: `call-${(count += 1)}` },
  );
  const ports = {
    ...makePublicationStore(client, ledger, routing.clock.now),
    publish: ({ resources = [] }: { readonly resources?: readonly string[] }) =>
      isLost
        ? Promise.reject(new Error('no answer'))
        : bringByApi(routing, { ...said, data: brought }, resources),
  };
  const resources = resourcesOf(event.fingerprint);
  return publishOnce(ports, event, { source: 'tidings.api', detailType: said.type, detail: '', resources });
}

/** A copy of what the API has put on the bus. */
async function bringByApi(routing: Routing, said: Said, resources: readonly string[]): Promise<void> {
  await publishByBus(routing, said, { source: 'tidings.api', resources });
}

async function publishByBus(
  routing: Routing,
  { type, data }: Said,
  envelope: object = { source: 'acme' },
): Promise<void> {
  const detail = { ...same, data, resource: undefined };
  await routing.publish({ ...aBusEvent({ id: `bus-${(count += 1)}`, type, detail }), ...envelope });
}

const aWorld = () => aRouting({ endpoints: [anEndpoint()] });

describe('an event has the id that its publisher was told', () => {
  test('when it is routed', async () => {
    const routing = aWorld();
    await publishByApi(routing);
    expect(await routing.ledger.events.get('org_1', id)).toMatchObject({ status: 'queued' });
    await routing.settle();
    expect(await routing.onlyStored()).toMatchObject({ id, status: 'accepted' });
    expect(routing.sent()).toMatchObject([{ eventId: id }]);
  });

  test.each([
    ['of an unknown type', { type: 'acme.unknown', data: {} }, 'unknown_event_type'],
    ['that is too large', { ...failed, data: { text: 'x'.repeat(300_000) } }, 'event_too_large'],
  ])(
    'when it is refused, %s: it stood under another id, and this one was 404',
    async (_what, said, reason) => {
      const routing = aWorld();
      await publishByApi(routing, said);
      await routing.settle();
      expect(await routing.onlyStored()).toMatchObject({ id, status: 'refused', reason });
    },
  );

  test('also by the bus, whatever it is refused for', async () => {
    const routing = aWorld();
    await publishByBus(routing, { ...failed, data: [] });
    await routing.settle();
    expect(await routing.onlyStored()).toMatchObject({ id, status: 'refused', timestamp: same.occurredAt });
  });

  test('and is accepted under it when the type has been added, and it is published again', async () => {
    const routing = aWorld();
    const { readCatalogue } = routing.ports;
    routing.ports.readCatalogue = () => Promise.resolve(new Map());
    await publishByApi(routing);
    await routing.settle();
    routing.ports.readCatalogue = readCatalogue;
    expect(await publishByApi(routing)).toBe(false);
    await routing.settle();
    expect(await routing.onlyStored()).toMatchObject({ id, status: 'accepted' });
    expect(routing.sent()).toHaveLength(1);
  });

  test('though the bus has written a number anew', async () => {
    const routing = aWorld();
    await publishByApi(routing, failed, { brought: { amount: 10.5 } });
    await routing.settle();
    expect(await routing.onlyStored()).toMatchObject({ id, status: 'accepted' });
    expect(await publishByApi(routing, failed)).toBe(true);
    await bringByApi(routing, failed, resourcesOf(fingerprintOf({ ...failed, resource: undefined })));
    await routing.settle();
    expect(await routing.stored()).toHaveLength(1);
  });

  test('though the one before it, of the same key, comes after all: it took the place of this one in silence', async () => {
    const routing = aWorld();
    const late = { ...failed, data: { amount: 1 } };
    await expect(publishByApi(routing, late, { isLost: true })).rejects.toThrow('no answer');
    await publishByApi(routing);
    // EventBridge had taken it, and only its answer was lost.
    await bringByApi(routing, late, resourcesOf(fingerprintOf({ ...late, resource: undefined })));
    await routing.settle();
    const stored = await routing.stored();
    const kept = stored.find((event) => event.id === id);
    expect(kept && JSON.parse(bodyOf(kept))).toMatchObject({ data: failed.data });
    expect(stored.find((event) => event.id !== id)).toMatchObject({ reason: 'idempotency_conflict' });
  });
});

describe('another event of the same key and time, on the bus', () => {
  const other = { type: 'pipeline.run.succeeded', data: { amount: 99 } };

  test.each([
    ['one that the bus brought', (routing: Routing) => publishByBus(routing, failed)],
    ['one that the API has published', (routing: Routing) => publishByApi(routing).then(() => undefined)],
  ])('beside %s is refused under an id of its own: it vanished', async (_what, publish) => {
    const routing = aWorld();
    await publish(routing);
    await routing.step();
    await publishByBus(routing, other);
    await routing.settle();
    const [conflict, ...others] = (await routing.stored()).filter((event) => event.id !== id);
    expect(others).toEqual([]);
    expect(conflict).toMatchObject({
      ...{ status: 'refused', reason: 'idempotency_conflict', type: other.type, timestamp: same.occurredAt },
    });
    expect(conflict?.explanation).toContain(id);
    expect(conflict && JSON.parse(bodyOf(conflict))).toMatchObject({ data: other.data });
    expect(
      JSON.parse(bodyOf((await routing.stored()).find((event) => event.id === id) ?? raise())),
    ).toMatchObject({
      data: failed.data,
    });
    expect(routing.sent()).toHaveLength(1);
  });

  test('is told to the operator, counted in the log, and its payload in neither', async () => {
    const routing = aWorld();
    await publishByBus(routing, failed);
    await publishByBus(routing, { ...other, data: { card: 'PLANTED' } });
    await routing.settle();
    expect(routing.announced).toMatchObject([{ source: 'tidings', detailType: 'event.conflicted' }]);
    expect(JSON.parse(routing.announced[0]?.detail ?? '')).toMatchObject({
      ...{ organizationId: 'org_1', conflictsWith: id, eventType: other.type, source: 'acme' },
    });
    expect(routing.journal.lines).toMatchObject([
      { message: 'event.routed' },
      { message: 'event.refused', fields: { code: 'idempotency_conflict' } },
    ]);
    expect(JSON.stringify([routing.announced, routing.journal.lines])).not.toContain('PLANTED');
  });

  test('does not take the place of one that the API has queued, and that comes later', async () => {
    const routing = aWorld();
    const { publish } = routing;
    const held: unknown[] = [];
    Object.assign(routing, { publish: (event: unknown) => Promise.resolve(void held.push(event)) });
    await publishByApi(routing);
    Object.assign(routing, { publish });
    await publishByBus(routing, other);
    await routing.settle();
    for (const event of held) await publish(event);
    await routing.settle();
    expect(await routing.ledger.events.get('org_1', id)).toMatchObject({
      status: 'accepted',
      type: failed.type,
    });
    expect(await routing.stored()).toHaveLength(2);
  });

  test('comes twice as one, and is told until it was told', async () => {
    const routing = aWorld();
    await publishByBus(routing, failed);
    await routing.step();
    const { announce } = routing.ports;
    routing.ports.announce = () => Promise.reject(new Error('throttled'));
    await publishByBus(routing, other);
    await routing.step();
    expect(routing.announced).toEqual([]);
    routing.ports.announce = announce;
    await routing.settle();
    expect(routing.announced).toHaveLength(1);
    expect(await routing.stored()).toHaveLength(2);
  });

  test('that says the same, its fields in another order, is a copy', async () => {
    const routing = aWorld();
    await publishByBus(routing, { ...failed, data: { a: 1, b: 2 } });
    await publishByBus(routing, { ...failed, data: { b: 2, a: 1 } });
    await routing.settle();
    expect((await routing.onlyStored()).id).toBe(id);
    expect(routing.announced).toEqual([]);
  });
});

function raise(): never {
  throw new Error('the event is not there');
}
