import { describe, expect, test } from 'vitest';
import { isoTime } from '../../../lambdas/shared/time.ts';
import { aDead } from '../../fakes/a-delivery.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { testStartMs } from '../../fakes/clock.ts';
import { endpointIdOf, eventIdOf } from '../../fakes/ids.ts';
import { aJob } from '../../fakes/jobs.ts';
import { aRecovery, deliverAll, messagesOf } from './a-recovery.ts';
import type { Fate, FateOf, PortName, Scene } from './a-recovery.ts';
import { before, countsOfEverything, everything, lacking, tell } from './stories.ts';
import type { Story } from './stories.ts';

const one = endpointIdOf('one');

describe('a job', () => {
  test('finds what was not delivered, and has it delivered once', async () => {
    const scene = aRecovery();
    const ids = await tell(scene, everything);
    await scene.begin();
    await scene.settle();
    const wanted = ids.filter((_, index) => lacking.has(everything[index] ?? 'young'));
    expect((await deliverAll(scene)).toSorted()).toEqual(wanted);
    expect(messagesOf(scene)).toHaveLength(wanted.length);
    expect(await scene.job()).toMatchObject({ status: 'finished', counts: countsOfEverything, outbox: [] });
  });

  test('says so on the bus when it is finished, with what it has counted', async () => {
    const scene = aRecovery();
    await tell(scene, everything);
    await scene.begin();
    await scene.settle();
    const [said, ...more] = scene.announced;
    expect(more).toEqual([]);
    expect(said).toMatchObject({ source: 'tidings', detailType: 'recovery.finished' });
    const { id: jobId, organizationId, endpointId } = await scene.job();
    const detail = { jobId, organizationId, endpointId, dryRun: false, ...countsOfEverything };
    expect(JSON.parse(said?.detail ?? '')).toEqual(detail);
  });

  test.each([
    [['dead'], ['dead', 'dead']],
    [['discarded'], ['discarded', 'skipped']],
    [['missing'], ['lost retry', 'missing', 'missing']],
  ] as const)('that is to include %j sends nothing else', async (include, stories) => {
    const scene = aRecovery({ job: aJob({ include: [...include] }) });
    const ids = await tell(scene, everything);
    await scene.begin();
    await scene.settle();
    const sent = messagesOf(scene).map(({ eventId }) => everything[ids.indexOf(eventId)]);
    expect(sent).toEqual(stories);
    expect((await scene.job()).counts).toMatchObject({ sent: stories.length, examined: 14 });
  });

  test('asks for a new round of what has ended, and for the very attempt that was lost', async () => {
    const scene = aRecovery();
    await tell(scene, ['dead', 'discarded', 'lost retry', 'missing', 'skipped']);
    await scene.begin();
    await scene.settle();
    const asked = messagesOf(scene).map(({ round, attempt, trigger }) => [round, attempt, trigger]);
    expect(asked).toEqual([
      [2, 2, 'manual'],
      [2, 1, 'manual'],
      [1, 2, 'scheduled'],
      [1, 1, 'manual'],
      [1, 1, 'manual'],
    ]);
  });

  test('that only counts sends nothing', async () => {
    const scene = aRecovery({ job: aJob({ dryRun: true }) });
    await tell(scene, everything);
    await scene.begin();
    await scene.settle();
    expect(scene.retries.sent).toEqual([]);
    expect(await scene.job()).toMatchObject({
      status: 'finished',
      counts: { ...countsOfEverything, sent: 0 },
    });
    // In one go: there is nothing to wait for.
    expect(scene.queue.sent).toHaveLength(1);
  });

  test('of the whole organization sends every dead delivery, but not to endpoints that receive nothing', async () => {
    const job = aJob({ endpointId: null, include: ['dead'], since: isoTime(0) });
    const scene = aRecovery({ job });
    const [off, gone] = [endpointIdOf('off'), endpointIdOf('gone')];
    scene.configuration.set(anEndpoint({ name: 'off', active: false }));
    await tell(scene, ['dead', 'discarded', 'missing', 'dead']);
    for (const endpointId of [off, gone]) {
      await scene.ledger.record(aDead({ endpointId, eventId: eventIdOf('old', 5), updatedAt: before }));
    }
    await scene.begin();
    await scene.settle();
    expect(messagesOf(scene).map(({ endpointId }) => endpointId)).toEqual([one, one]);
    const { counts } = await scene.job();
    expect(counts).toEqual({ examined: 4, dead: 4, discarded: 0, missing: 0, sent: 2 });
    // It is still there, to be recovered when its endpoint is back.
    expect((await scene.ledger.deliveries.get(off, eventIdOf('old', 5)))?.status).toBe('dead');
  });

  test.each([
    [
      'is switched off',
      (scene: Scene) => {
        scene.configuration.set(anEndpoint({ active: false }));
      },
    ],
    [
      'loses its plan',
      (scene: Scene) => {
        scene.configuration.setOrganization(anOrganization({ plan: 'team' }));
      },
    ],
  ] as const)('sends nothing more to an endpoint that %s meanwhile', async (_, end) => {
    const scene = aRecovery();
    await tell(scene, Array<Story>(6).fill('dead'));
    await scene.begin();
    onCall(scene, { port: 'readPage', time: 2 }, () => {
      end(scene);
    });
    await scene.settle();
    expect(messagesOf(scene)).toHaveLength(3);
    expect((await scene.job()).counts).toMatchObject({ dead: 6, sent: 3 });
  });

  // It would be sent again for as long as it dies faster than the pages are turned.
  test('does not open another round for what died while it ran', async () => {
    const scene = aRecovery();
    const [first] = await tell(scene, ['dead']);
    await scene.ledger.record(
      aDead({
        eventId: first ?? '',
        round: 2,
        roundStart: 1,
        attemptCount: 2,
        updatedAt: isoTime(testStartMs + 1),
      }),
    );
    await scene.begin();
    await scene.settle();
    expect(messagesOf(scene)).toEqual([]);
  });

  test('goes on in another invocation when the time of one is used up', async () => {
    let pages = 0;
    const remainingMs = () => ((pages += 1) % 2 === 1 ? 60_000 : 19_000);
    const scene = aRecovery({ remainingMs });
    await tell(scene, Array<Story>(10).fill('delivered'));
    await scene.begin();
    await scene.settle();
    expect(await scene.job()).toMatchObject({ status: 'finished', counts: { examined: 10 } });
    expect(scene.queue.sent).toHaveLength(4);
  });
});

describe('the pace', () => {
  /** How many messages become visible in each second. */
  const perSecond = ({ retries }: Scene) => {
    const seconds = retries.sent.map(
      ({ sentAtMs, delaySeconds }) => Math.floor(sentAtMs / 1000) + delaySeconds,
    );
    return [...Map.groupBy(seconds, (second) => second).values()].map(({ length }) => length);
  };

  test.each([1, 2, 5])(
    'is fifty deliveries a second at most, by %d copies of its message',
    async (copies) => {
      const scene = aRecovery({ pageItems: 100 });
      await tell(scene, Array<Story>(330).fill('dead'));
      await scene.begin();
      for (let copy = 1; copy < copies; copy += 1) await scene.wake();
      await scene.settle();
      expect(messagesOf(scene)).toHaveLength(330);
      expect(Math.max(...perSecond(scene))).toBe(50);
      expect(await scene.job()).toMatchObject({ status: 'finished', counts: { dead: 330, sent: 330 } });
      expect(scene.clock.now() - testStartMs).toBe(6_000);
    },
  );

  // A delivery here and there in many events: a second for each page would be hours.
  test('of pages that find little makes the job wait only when it is ahead', async () => {
    const scene = aRecovery({ pageItems: 10 });
    const rare: Story[] = [...Array<Story>(9).fill('delivered'), 'dead'];
    await tell(scene, Array.from({ length: 80 }, () => rare).flat());
    await scene.begin();
    await scene.settle();
    expect(await scene.job()).toMatchObject({ status: 'finished', counts: { dead: 80, sent: 80 } });
    expect(scene.clock.now() - testStartMs).toBe(2_000);
    expect(Math.max(...perSecond(scene))).toBeLessThanOrEqual(51);
  });

  test('of pages that find nothing is none', async () => {
    const scene = aRecovery();
    await tell(scene, Array<Story>(30).fill('delivered'));
    await scene.begin();
    await scene.settle();
    expect(scene.clock.now()).toBe(testStartMs);
    expect(scene.queue.sent).toHaveLength(1);
  });
});

describe('a job that is cancelled', () => {
  const cancel = (scene: Scene) => () => void scene.jobs.cancel('org_1', aJob().id);

  test('ends before its next page', async () => {
    const scene = aRecovery({ pageItems: 60 });
    await tell(scene, Array<Story>(120).fill('dead'));
    await scene.begin();
    await scene.step();
    cancel(scene)();
    await scene.settle();
    expect(messagesOf(scene)).toHaveLength(60);
    expect(await scene.job()).toMatchObject({
      status: 'cancelled',
      counts: { examined: 60, dead: 60, sent: 60 },
    });
    expect(scene.announced).toEqual([]);
  });

  test.each(['readPage', 'advance', 'send'] as const)(
    'in the middle of %s sends what it has counted, and no more',
    async (port) => {
      for (const time of [1, 2, 3]) {
        const scene = aRecovery();
        await tell(scene, Array<Story>(12).fill('dead'));
        await scene.begin();
        onCall(scene, { port, time }, cancel(scene));
        await scene.settle();
        const { status, counts } = await scene.job();
        expect(status).toBe('cancelled');
        expect(messagesOf(scene)).toHaveLength(counts.sent);
        expect(counts.sent).toBeLessThanOrEqual(6);
      }
    },
  );

  test('sends what it had counted when its function died', async () => {
    const scene = aRecovery({ fateOf: firstOf('send', 'crash before') });
    await tell(scene, Array<Story>(6).fill('dead'));
    await scene.begin();
    await scene.step();
    await scene.jobs.cancel('org_1', aJob().id);
    await scene.settle();
    expect(messagesOf(scene)).toHaveLength(3);
    expect(await scene.job()).toMatchObject({ status: 'cancelled', counts: { sent: 3 } });
  });
});

describe('a message', () => {
  test('without its job comes back, in case the job is still being written', async () => {
    const scene = aRecovery();
    await scene.wake();
    await scene.step();
    expect(scene.queue.size()).toBe(1);
    await scene.jobs.add(aJob());
    await scene.settle();
    expect((await scene.job()).status).toBe('finished');
  });

  test('without its job is dropped a minute later, since its request was refused', async () => {
    const scene = aRecovery();
    await scene.wake();
    await scene.settle();
    expect(scene.queue.size()).toBe(0);
    expect(scene.queue.dead).toEqual([]);
  });

  test('that nobody of ours wrote falls into the dead-letter queue', async () => {
    const scene = aRecovery();
    await scene.queue.send({ body: '{"v":2}', delaySeconds: 0, groupId: 'org_1' });
    await scene.settle();
    expect(scene.queue.dead).toHaveLength(1);
    expect(scene.clock.now()).toBe(testStartMs);
  });

  test('of a job that has ended does nothing, redriven after days, too', async () => {
    const scene = aRecovery();
    await tell(scene, everything);
    await scene.begin();
    await scene.settle();
    const sent = messagesOf(scene).length;
    scene.clock.pass(86_400_000);
    await scene.wake();
    await scene.settle();
    expect(messagesOf(scene)).toHaveLength(sent);
    expect(scene.announced).toHaveLength(1);
  });

  test('that was given up in a long outage goes on where the job stood, once it is redriven', async () => {
    const scene = aRecovery();
    await tell(scene, everything);
    await scene.begin();
    let pages = 0;
    scene.settings.fateOf = ({ port }) =>
      port === 'readPage' && (pages += 1) > 2 ? 'fault before' : undefined;
    await scene.settle();
    expect(scene.queue.dead).toHaveLength(1);
    scene.settings.fateOf = () => undefined;
    scene.queue.redrive();
    await scene.settle();
    expect(await scene.job()).toMatchObject({ status: 'finished', counts: countsOfEverything });
  });
});

/** Has something happen at the moment when a port is called for the first time, or a later one. */
function onCall(scene: Scene, { port, time }: { port: PortName; time: number }, act: () => void): void {
  let times = 0;
  scene.settings.fateOf = (call) => {
    if (call.port === port && (times += 1) === time) act();
    return undefined;
  };
}

/** The first time that a port of this name is called. */
function firstOf(port: PortName, fate: Fate): FateOf {
  let dooms = 1;
  return (call) => (call.port === port && dooms-- > 0 ? fate : undefined);
}
