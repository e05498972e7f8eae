import { describe, expect, test } from 'vitest';
import { aBusEvent } from '../../fakes/a-bus-event.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf } from '../../fakes/ids.ts';
import { aRouting } from './a-routing.ts';
import type { Routing } from './a-routing.ts';

const one = endpointIdOf('one');

/** An event of an organization that does not exist, or not yet. */
const anEventOfNobody = (id = 'bus-1') => aBusEvent({ id, detail: { organizationId: 'org_new' } });

/** Somebody registers the organization, with an endpoint. */
function register({ configuration }: Routing): void {
  configuration.setOrganization(anOrganization({ id: 'org_new' }));
  configuration.set(anEndpoint({ organizationId: 'org_new' }));
}

const refusals = ({ journal }: Routing) => journal.lines.filter(({ message }) => message === 'event.refused');

describe('an event that no organization could ever see falls into the dead-letter queue', () => {
  const { detail, ...rest } = aBusEvent();

  test.each([
    ['no JSON', 'Hello'],
    ['not an event', '[]'],
    ['no detail', JSON.stringify(rest)],
    ['no organization', JSON.stringify(aBusEvent({ detail: { organizationId: undefined } }))],
    ['an organization’s id that is none', JSON.stringify(aBusEvent({ detail: { organizationId: 'a b' } }))],
    ['no id', JSON.stringify({ ...rest, id: undefined, detail })],
    ['an unknown organization', JSON.stringify(anEventOfNobody())],
  ])('%s', async (_, body) => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    await routing.publishText(body);
    await routing.settle();
    expect(routing.dead().map((letter) => letter.body)).toEqual([body]);
    expect(routing.sent()).toEqual([]);
    expect(await routing.stored()).toEqual([]);
    expect(routing.clock.now()).toBe(testStartMs + 10_000);
  });

  test('and is routed after a redrive, once its organization is known', async () => {
    const routing = aRouting();
    await routing.publish(anEventOfNobody());
    await routing.settle();
    register(routing);
    routing.redrive();
    await routing.settle();
    expect(routing.sent()).toMatchObject([{ organizationId: 'org_new', endpointId: one }]);
    expect(routing.dead()).toEqual([]);
  });

  test('and falls again after a redrive that came too early, which is said again', async () => {
    const routing = aRouting();
    await routing.publish(anEventOfNobody());
    await routing.settle();
    routing.redrive();
    await routing.settle();
    expect(routing.dead()).toHaveLength(1);
    expect(refusals(routing)).toHaveLength(2);
  });

  test('while the others of its batch are routed', async () => {
    const routing = aRouting({ endpoints: [anEndpoint()] });
    await routing.publishText('Hello');
    await routing.publish(aBusEvent());
    await routing.step();
    expect(routing.sent()).toHaveLength(1);
    expect(routing.events.size()).toBe(0);
    expect(routing.falling.waiting().map(({ body }) => body)).toEqual(['Hello']);
  });

  test('in the group in which it came', async () => {
    const routing = aRouting();
    await routing.publish(anEventOfNobody());
    await routing.settle();
    expect(routing.dead().map(({ groupId }) => groupId)).toEqual(
      routing.events.sent.map(({ groupId }) => groupId),
    );
  });
});

describe('a mistaken producer', () => {
  test('sees an event of an unknown organization fall after four receives, two looks and one log line', async () => {
    const routing = aRouting();
    await routing.publish(anEventOfNobody());
    let batches = 0;
    while (await routing.step()) batches += 1;
    expect(routing.dead()).toHaveLength(1);
    expect(batches).toBe(4);
    expect(routing.looks).toEqual(['org_new', 'org_new']);
    expect(routing.journal.lines).toMatchObject([
      { message: 'event.refused', fields: { code: 'unknown_organization', organizationId: 'org_new' } },
    ]);
  });

  test('who sends 250 of them a second, for five seconds, causes no 250 reads a second', async () => {
    const routing = aRouting();
    for (let count = 0; count < 1_250; count += 1) {
      await routing.publish(anEventOfNobody(`bus-${count}`));
      routing.clock.pass(4);
      if (count % 10 === 9)
        while ((routing.events.nextAtMs() ?? Infinity) <= routing.clock.now()) await routing.step();
    }
    while (await routing.step());
    expect(routing.dead()).toHaveLength(1_250);
    // At the first looks two, at the second ones two: each is remembered for five seconds.
    expect(routing.looks.length).toBeLessThanOrEqual(4);
  });

  test('who invents an id for each fills no memory: the oldest are forgotten', async () => {
    const routing = aRouting();
    const { lookUpSubscribers } = routing.ports;
    for (let count = 0; count <= 1_000; count += 1) await lookUpSubscribers(`org_no_${count}`, 0);
    await lookUpSubscribers('org_no_1000', 0);
    expect(routing.looks).toHaveLength(1_001);
    await lookUpSubscribers('org_no_0', 0);
    expect(routing.looks).toHaveLength(1_002);
  });
});

describe('an organization that has just been made', () => {
  test('gets its first event, though it was remembered as unknown when that came', async () => {
    const routing = aRouting();
    await routing.publish(anEventOfNobody('too-early'));
    await routing.step();
    register(routing);
    await routing.publish(anEventOfNobody('first'));
    await routing.step();
    expect(routing.looks).toEqual(['org_new']);
    await routing.settle();
    // The one before is not lost either: it came five seconds too early at most.
    expect((await routing.stored('org_new')).map(({ status }) => status)).toEqual(['accepted', 'accepted']);
    expect(routing.sent()).toHaveLength(2);
    expect(routing.dead()).toEqual([]);
    expect(refusals(routing)).toEqual([]);
    expect(routing.clock.now()).toBe(testStartMs + 10_000);
  });

  test('gets what is redriven at once, though another of its events has fallen a moment ago', async () => {
    const routing = aRouting();
    await routing.publish(anEventOfNobody('one'));
    await routing.settle();
    await routing.publish(anEventOfNobody('two'));
    await routing.step();
    register(routing);
    routing.clock.pass(1);
    routing.redrive();
    await routing.step();
    expect(routing.sent()).toHaveLength(1);
  });

  test('gets what comes from then on without a detour', async () => {
    const routing = aRouting();
    await routing.publish(anEventOfNobody('too-early'));
    await routing.settle();
    register(routing);
    routing.clock.pass(5_000);
    await routing.publish(anEventOfNobody('later'));
    await routing.step();
    expect(routing.sent()).toHaveLength(1);
  });
});

describe('a fault of ours on the way to the dead-letter queue', () => {
  test('leaves the event where it is: it comes again, and falls then', async () => {
    const routing = aRouting();
    const { fall } = routing.ports;
    routing.ports.fall = () => Promise.reject(new Error('throttled'));
    await routing.publish(anEventOfNobody());
    await routing.step();
    expect(routing.events.size()).toBe(1);
    routing.ports.fall = fall;
    await routing.settle();
    expect(routing.dead()).toHaveLength(1);
    expect(routing.clock.now()).toBe(testStartMs + 190_000);
  });

  test('when the answer is lost, the event falls twice and is still routed once its organization is known', async () => {
    const routing = aRouting();
    const { fall } = routing.ports;
    routing.ports.fall = async (record) => {
      routing.ports.fall = fall;
      await fall(record);
      throw new Error('the answer was lost');
    };
    await routing.publish(anEventOfNobody());
    await routing.settle();
    expect(routing.dead()).toHaveLength(2);
    register(routing);
    routing.redrive();
    await routing.settle();
    expect(await routing.stored('org_new')).toHaveLength(1);
    expect(routing.dead()).toEqual([]);
  });
});
