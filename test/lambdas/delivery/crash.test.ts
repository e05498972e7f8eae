import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../lambdas/endpoint/endpoint.ts';
import type { Notice } from '../../../lambdas/endpoint/health/health.ts';
import { aMessage } from '../../fakes/a-message.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anEvent } from '../../fakes/an-event.ts';
import { eventIdOf } from '../../fakes/ids.ts';
import type { Scripted } from '../../fakes/receiver.ts';
import { aScene, deadLetters, settle } from './a-scene.ts';
import { fates } from './mortal.ts';
import type { Scene } from './a-scene.ts';
import type { Fate, FateOf, PortName } from './mortal.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** What happens in a delivery's life, before the faults begin and then with them. */
interface Story {
  readonly endpoint?: Endpoint;
  readonly before?: (scene: Scene) => Promise<void>;
  readonly act: (scene: Scene) => Promise<void>;
  readonly answers: readonly Scripted[];
}

const twoAttempts = anEndpoint({ policy: { retry: { maximumAttempts: 2 } } });
const oneAttempt = anEndpoint({ policy: { retry: { maximumAttempts: 1 } } });
const longWaits = anEndpoint({
  policy: { retry: { initialBackoffSeconds: 7_200, multiplier: 1, maximumAttempts: 3 } },
});
/** Paused by its first failure. */
const fragile = { failures: 1, withoutSuccessSeconds: 0, pauseSeconds: 60, maximumPauseSeconds: 120 };
const soon = { initialBackoffSeconds: 1, multiplier: 1 };
const pausedByOne = anEndpoint({ policy: { circuitBreaker: fragile, retry: soon } });
const pausedAndDying = anEndpoint({
  policy: { circuitBreaker: fragile, retry: { ...soon, maximumAttempts: 2 } },
});
const offAfterAnHour = anEndpoint({
  policy: {
    circuitBreaker: null,
    disableAfterHours: 1,
    retry: { initialBackoffSeconds: 600, multiplier: 1 },
  },
});
const start = (scene: Scene) => scene.start();
const redrive = (scene: Scene) => {
  scene.falling.redrive();
  return Promise.resolve();
};
const byHand = (scene: Scene) => scene.retryByHand();

/** A delivery that has died, a day ago. */
async function died(scene: Scene): Promise<void> {
  scene.receiver.always(500);
  await scene.start();
  await settle(scene);
  scene.clock.pass(dayMs);
}

/** A delivery whose first attempt has failed, and whose second one comes at the same moment as a retry by hand. */
async function failedOnceAndAskedFor(scene: Scene): Promise<void> {
  scene.receiver.always(500);
  await scene.start();
  await scene.step();
  await scene.retryByHand();
  scene.clock.pass(dayMs);
  // What waits so long waits as a row.
  await scene.runWake();
}

const stories: Record<string, Story> = {
  'a delivery that succeeds at once': { act: start, answers: [200] },
  'a delivery that fails twice and then succeeds': { act: start, answers: [500, 503, 200] },
  'a delivery that waits for hours': { endpoint: longWaits, act: start, answers: [500, 500, 200] },
  'a delivery that dies of its last attempt': { endpoint: twoAttempts, act: start, answers: [500] },
  'a delivery that dies of its only attempt': { endpoint: oneAttempt, act: start, answers: [500] },
  'a delivery that a 410 ends': { act: start, answers: [500, 410] },
  'a delivery whose endpoint was disabled': {
    act: async (scene) => {
      await scene.start();
      scene.configuration.set(anEndpoint({ active: false }));
    },
    answers: [],
  },
  'a delivery whose endpoint is paused and comes back': {
    endpoint: pausedByOne,
    act: start,
    answers: [500, 500, 200],
  },
  'a delivery that dies while its endpoint is paused': {
    endpoint: pausedAndDying,
    act: start,
    answers: [500],
  },
  'a delivery whose endpoint asks for patience': {
    endpoint: pausedByOne,
    act: start,
    answers: [{ kind: 'response', status: 429, retryAfter: '600' }, 200],
  },
  'a delivery whose endpoint is gone while it is paused': {
    endpoint: pausedByOne,
    act: start,
    answers: [500, 410],
  },
  'a delivery whose endpoint is switched off for nothing but failure': {
    endpoint: offAfterAnHour,
    act: start,
    answers: [500],
  },
  'a redriven delivery that succeeds': { endpoint: longWaits, before: died, act: redrive, answers: [200] },
  'a redriven delivery that is tried again for hours': {
    endpoint: longWaits,
    before: died,
    act: redrive,
    answers: [500, 500, 200],
  },
  'a redriven delivery that dies again': { endpoint: oneAttempt, before: died, act: redrive, answers: [500] },
  'a dead delivery that is retried by hand': {
    endpoint: longWaits,
    before: died,
    act: byHand,
    answers: [500, 200],
  },
  'a retry by hand that a scheduled attempt has overtaken': {
    endpoint: longWaits,
    before: async (scene) => {
      await failedOnceAndAskedFor(scene);
      // The scheduled one comes first, though its message is the newer one in the queue.
      const [byHandRecord, scheduledRecord] = scene.queue.receive();
      if (byHandRecord === undefined || scheduledRecord === undefined) throw new Error('two messages wait');
      await scene.invoke([scheduledRecord]);
      await scene.queue.release([byHandRecord]);
    },
    act: () => Promise.resolve(),
    answers: [500, 200],
  },
};

interface Played {
  readonly scene: Scene;
  /** Index of the first call that a fate may befall. */
  readonly from: number;
  readonly faults: () => number;
  /** What was written down to be said of the endpoint. */
  readonly noted: ReadonlySet<string>;
}

/** Plays a story to its end; what the script does not say, the receiver answers as it did last. */
async function play({ endpoint, before, act, answers }: Story, fateOf: FateOf): Promise<Played> {
  const scene = await aScene(endpoint === undefined ? {} : { endpoint });
  const noted = noticesOf(scene);
  await before?.(scene);
  const from = scene.calls.length;
  let faults = 0;
  scene.settings.fateOf = (call) => {
    const fate = fateOf({ ...call, index: call.index - from });
    if (fate !== undefined) faults += 1;
    return fate;
  };
  const last = answers.at(-1);
  if (last !== undefined) scene.receiver.answers(...answers, ...Array<Scripted>(50).fill(last));
  await act(scene);
  await settle(scene);
  return { scene, from, faults: () => faults, noted };
}

/** Gathers what is written down to be said of the endpoint from now on. */
function noticesOf({ health }: Scene): Set<string> {
  const noted = new Set<string>();
  const { replace } = health;
  health.replace = async (endpointId, before, after) => {
    const isReplaced = await replace(endpointId, before, after);
    if (isReplaced) for (const notice of after.unsaid) noted.add(nameOf(notice));
    return isReplaced;
  };
  return noted;
}

function nameOf({ kind, at }: Pick<Notice, 'kind' | 'at'>): string {
  return `endpoint.${kind} ${at}`;
}

/** What has been said, as often as it was. */
function saidIn({ announced }: Scene): string[] {
  return announced.map(({ detailType, detail }) => {
    const { at, attempts } = JSON.parse(detail) as { at?: string; attempts?: number };
    return `${detailType} ${at ?? attempts ?? ''}`;
  });
}

/** What must be true of every delivery when all messages have come to rest (docs/simulator.md). */
async function expectNothingLost(played: Played): Promise<void> {
  const { scene, faults } = played;
  const { requests } = scene.receiver;
  const { status, round, attemptCount, attempts } = await scene.delivery();
  const numbers = attempts.map(({ number }) => number);
  // I1: a delivery that waits for an attempt would wait for ever, since no message is left.
  expect(['delivered', 'dead', 'discarded']).toContain(status);
  // Nothing is recorded twice.
  expect(numbers).toEqual(Array.from({ length: attemptCount }, (_, index) => index + 1));
  // I2, I6: delivered means answered; a fault costs one more request at worst.
  if (status === 'delivered') expect(requests.some(({ answer }) => isOk(answer))).toBe(true);
  expect(requests.length).toBeLessThanOrEqual(attemptCount + faults());
  // I22: nothing falls among the poison, and only marked letters among the dead.
  expect(scene.queue.dead).toEqual([]);
  expect(deadLetters(scene).filter(({ dead }) => dead === undefined)).toEqual([]);
  // A dead delivery lies in the dead-letter queue, and a copy of it only because of a fault.
  const letters = deadLetters(scene).filter((letter) => letter.round === round);
  if (status === 'dead') {
    expect(letters.length).toBeGreaterThanOrEqual(1);
    expect(letters.length).toBeLessThanOrEqual(1 + faults());
    expect(saidIn(scene)).toContain(`delivery.dead ${attemptCount}`);
  }
  // I3, I4: the same bytes and id; the time of this attempt.
  for (const { body, headers, atMs } of requests) {
    expect(Buffer.from(body).equals(Buffer.from(requests[0]?.body ?? []))).toBe(true);
    expect(headers['webhook-id']).toBe(requests[0]?.headers['webhook-id']);
    expect(Math.abs(Number(headers['webhook-timestamp']) * 1000 - atMs)).toBeLessThanOrEqual(2_000);
  }
  await expectAllSaid(played);
}

/** What a person must know of the endpoint has been said, at the latest by whoever delivers to it next. */
async function expectAllSaid({ scene, noted }: Played): Promise<void> {
  if ([...noted].every((notice) => saidIn(scene).includes(notice))) return;
  scene.settings.fateOf = () => undefined;
  scene.receiver.always(200);
  scene.clock.pass(dayMs);
  await scene.ledger.events.add(anEvent({ name: 'next' }));
  await scene.sendMessage(aMessage({ eventId: eventIdOf('next') }));
  await settle(scene);
  expect(saidIn(scene)).toEqual(expect.arrayContaining([...noted]));
}

function isOk(answer: Scene['receiver']['requests'][number]['answer']): boolean {
  return answer.kind === 'response' && answer.status === 200;
}

/** One fate at one call, all others untouched; a POST never rejects, so its only fault is the function's death. */
function only(index: number, fate: Fate): FateOf {
  return (call) => {
    if (call.index !== index) return undefined;
    return call.port === 'post' && fate.startsWith('fault') ? 'crash after' : fate;
  };
}

describe.each(Object.entries(stories))('%s', (_, story) => {
  test('comes to its end without faults, by one request for each attempt', async () => {
    const played = await play(story, () => undefined);
    await expectNothingLost(played);
    expect(played.faults()).toBe(0);
  });

  test('says once without faults what people must know', async () => {
    const { scene, noted } = await play(story, () => undefined);
    const said = saidIn(scene);
    expect(new Set(said).size).toBe(said.length);
    const ofEndpoint = said.filter((one) => one.startsWith('endpoint.'));
    expect(ofEndpoint.toSorted()).toEqual([...noted].toSorted());
  });

  test.each(fates)('loses nothing by one %s at any call of a port', async (fate) => {
    const untouched = await play(story, () => undefined);
    const calls = untouched.scene.calls.length - untouched.from;
    for (let index = 0; index < calls; index += 1) {
      const played = await play(story, only(index, fate));
      const { port } = untouched.scene.calls[untouched.from + index] ?? {};
      await expectNothingLost(played).catch((cause: unknown) => {
        throw new Error(`lost by one ${fate} at call ${index} (${port})`, { cause });
      });
    }
  });
});

describe('several faults in one delivery', () => {
  const doom = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom(...fates));

  test('lose nothing, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(stories)),
        fc.array(doom, { minLength: 2, maxLength: 4 }),
        async (name, dooms) => {
          const story = stories[name];
          if (story === undefined) throw new Error('there is no such story');
          const fateOf: FateOf = (call) =>
            dooms.map(([index, fate]) => only(index, fate)(call)).find((fate) => fate !== undefined);
          await expectNothingLost(await play(story, fateOf));
        },
      ),
      { numRuns: 400, seed: 1 },
    );
  });
});

describe('what users saw once', () => {
  /** The first time that a port of this name is called. */
  const firstOf = (port: PortName, fate: Fate): FateOf => {
    let dooms = 1;
    return (call) => (call.port === port && dooms-- > 0 ? fate : undefined);
  };

  test.each([
    ['a redrive', redrive, 4],
    ['a retry by hand', byHand, 4],
  ] as const)(
    'a delivery brought back by %s goes on when the function dies before it sends',
    async (_, act, before) => {
      const story = { endpoint: longWaits, before: died, act, answers: [500, 200] };
      const { scene } = await play(story, firstOf('send', 'crash before'));
      expect(await scene.delivery()).toMatchObject({
        status: 'delivered',
        round: 2,
        attemptCount: before + 1,
      });
    },
  );

  test('a retry by hand that a scheduled attempt has overtaken goes on when the function dies before it sends', async () => {
    const story = stories['a retry by hand that a scheduled attempt has overtaken'];
    if (story === undefined) throw new Error('there is no such story');
    const { scene } = await play(story, firstOf('send', 'crash before'));
    expect(await scene.delivery()).toMatchObject({ status: 'delivered', round: 2 });
  });

  test.each([
    ['a long wait', { endpoint: longWaits, act: start, answers: [500, 200] }, 'delivered'],
    ['death', { endpoint: oneAttempt, act: start, answers: [500] }, 'dead'],
  ] as const)(
    'when SQS takes no message and then the ledger cannot be read, %s still comes to its end',
    async (_, story, status) => {
      const fateOf = firstOf('send', 'fault before');
      let reads = 0;
      const played = await play(story, (call) =>
        call.port === 'readKnown' && (reads += 1) === 2 ? 'fault before' : fateOf(call),
      );
      expect((await played.scene.delivery()).status).toBe(status);
      await expectNothingLost(played);
    },
  );
});

describe('what people are told without faults', () => {
  test.each([
    ['a delivery that succeeds at once', []],
    ['a delivery that dies of its only attempt', ['delivery.dead']],
    ['a delivery that a 410 ends', ['delivery.dead', 'endpoint.disabled']],
    ['a delivery whose endpoint is paused and comes back', ['endpoint.paused', 'endpoint.resumed']],
    ['a delivery that dies while its endpoint is paused', ['endpoint.paused', 'delivery.dead']],
    ['a delivery whose endpoint asks for patience', ['endpoint.paused', 'endpoint.resumed']],
    [
      'a delivery whose endpoint is gone while it is paused',
      ['endpoint.paused', 'delivery.dead', 'endpoint.disabled'],
    ],
    [
      'a delivery whose endpoint is switched off for nothing but failure',
      ['endpoint.failing', 'endpoint.failing', 'endpoint.disabled'],
    ],
  ])('of %s: %j', async (name, types) => {
    const story = stories[name];
    if (story === undefined) throw new Error('there is no such story');
    const { scene } = await play(story, () => undefined);
    expect(scene.announced.map(({ detailType }) => detailType)).toEqual(types);
  });
});
