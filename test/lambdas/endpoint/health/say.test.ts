import { beforeEach, describe, expect, test } from 'vitest';
import { drainMessage, outgoingDrain } from '../../../../lambdas/endpoint/health/drain-message.ts';
import { well } from '../../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../../lambdas/endpoint/health/health.ts';
import { change, isUnsaid } from '../../../../lambdas/endpoint/health/say.ts';
import type { SayPorts } from '../../../../lambdas/endpoint/health/say.ts';
import type { OperatorEntry } from '../../../../lambdas/event/operator-event.ts';
import { isoTime } from '../../../../lambdas/shared/time.ts';
import { aClock, testStartMs } from '../../../fakes/clock.ts';
import type { TestClock } from '../../../fakes/clock.ts';
import { memoryHealth } from '../../../fakes/health.ts';
import type { MemoryHealth } from '../../../fakes/health.ts';
import { endpointIdOf } from '../../../fakes/ids.ts';
import { memoryLog } from '../../../fakes/log.ts';

const owner = { id: endpointIdOf('one'), organizationId: 'org_1' };
const at = (ms: number) => isoTime(testStartMs + ms);
const until = at(60_000);
const paused: Health = {
  ...well,
  pause: { since: at(0), until, seconds: 60, cause: 'failures' },
  unsaid: [{ kind: 'paused', at: at(0), reason: 'failures', until }],
};
const backlog = { turn: 4, pass: 1, dueAt: at(3_000) };

let clock: TestClock;
let health: MemoryHealth;
let announced: OperatorEntry[];
let drains: Parameters<SayPorts['startDrain']>[];
let journal: ReturnType<typeof memoryLog>;
let ports: SayPorts;
beforeEach(() => {
  clock = aClock();
  health = memoryHealth(clock.now);
  announced = [];
  drains = [];
  journal = memoryLog();
  ports = {
    health,
    announce: (entry) => Promise.resolve(void announced.push(entry)),
    startDrain: (...asked) => Promise.resolve(void drains.push(asked)),
    now: clock.now,
    log: journal.log,
  };
});
const latest = () => health.readLatest(owner.id);
const away = () => Promise.reject(new Error('away'));

describe('a change of health', () => {
  test('is written with whose it is, and says nothing when there is nothing to say', async () => {
    expect(await change(ports, owner, { before: well, after: { ...well, failures: 1 } })).toBe(true);
    expect(await latest()).toEqual({ ...well, failures: 1, version: 1, organizationId: 'org_1' });
    expect([announced, drains, journal.lines]).toEqual([[], [], []]);
  });

  test('tells people once, and then it is said', async () => {
    await change(ports, owner, { before: well, after: paused });
    expect(announced.map(({ source, detailType }) => [source, detailType])).toEqual([
      ['tidings', 'endpoint.paused'],
    ]);
    const detail = { organizationId: 'org_1', endpointId: owner.id, at: at(0), reason: 'failures', until };
    expect(JSON.parse(announced[0]?.detail ?? '')).toMatchObject(detail);
    const after = await latest();
    expect(after).toMatchObject({ pause: paused.pause, unsaid: [], version: 2 });
    expect(after.sayAfter).toBeUndefined();
  });

  test('of whoever is slower is not written, and nothing follows from it', async () => {
    await health.replace(owner.id, well, { ...well, failures: 1 });
    const after = { ...paused, backlog };
    expect(await change(ports, owner, { before: well, after })).toBe(false);
    expect([announced, drains]).toEqual([[], []]);
    expect(await latest()).toMatchObject({ failures: 1, version: 1 });
  });

  test('that cannot be written fails', async () => {
    const broken = { ...ports, health: { replace: away } };
    await expect(change(broken, owner, { before: well, after: paused })).rejects.toThrow('away');
  });

  test('is a change though the bus takes nothing: it stays unsaid, for somebody later', async () => {
    const broken = { ...ports, announce: away };
    expect(await change(broken, owner, { before: well, after: paused })).toBe(true);
    const left = await latest();
    expect(left.unsaid).toEqual(paused.unsaid);
    expect(journal.lines.map(({ message }) => message)).toEqual(['health.unsaid']);
    // As long as this worker may still be saying it, others leave it to him.
    expect(isUnsaid(left, clock.now() + 39_999)).toBe(false);
    expect(isUnsaid(left, clock.now() + 40_000)).toBe(true);
    clock.pass(40_000);
    expect(await change(ports, owner, { before: left, after: left })).toBe(true);
    expect(announced).toHaveLength(1);
    expect(isUnsaid(await latest(), clock.now() + 86_400_000)).toBe(false);
  });

  test('of whoever dies after the bus took it is said again rather than never', async () => {
    let writes = 0;
    const dying: SayPorts = {
      ...ports,
      health: { replace: (...args) => ((writes += 1) === 1 ? health.replace(...args) : away()) },
    };
    await change(dying, owner, { before: well, after: paused });
    expect(announced).toHaveLength(1);
    expect(isUnsaid(await latest(), clock.now() + 40_000)).toBe(true);
  });

  test('that somebody changes while it is being said is not taken back', async () => {
    const meddled: SayPorts = {
      ...ports,
      announce: async (entry) => {
        announced.push(entry);
        const before = await latest();
        await health.replace(owner.id, before, { ...before, failures: 7 });
      },
    };
    expect(await change(meddled, owner, { before: well, after: paused })).toBe(true);
    // Said twice rather than never.
    expect(await latest()).toMatchObject({ failures: 7, unsaid: paused.unsaid });
  });

  test('takes what is unsaid along, all of it in its order', async () => {
    const unsaid = [...paused.unsaid, { kind: 'resumed' as const, at: at(1) }];
    await change(ports, owner, { before: well, after: { ...well, unsaid } });
    expect(announced.map(({ detailType }) => detailType)).toEqual(['endpoint.paused', 'endpoint.resumed']);
  });
});

describe('a drain', () => {
  test.each([
    ['now', 0, 0],
    ['that has passed', -60_000, 0],
    ['in a moment, rounded up', 3_001, 4],
    ['as far ahead as a message can wait', 900_000, 900],
  ])('is started when the time changes at which rows are due: %s', async (_, ms, seconds) => {
    const after = { ...well, backlog: { ...backlog, dueAt: at(ms) } };
    await change(ports, owner, { before: well, after });
    expect(drains).toEqual([[owner, 4, seconds]]);
  });

  test('is left to whoever comes every minute when its time is further ahead', async () => {
    const after = { ...well, backlog: { ...backlog, dueAt: at(900_001) } };
    await change(ports, owner, { before: well, after });
    expect(drains).toEqual([]);
  });

  test('is not started again while the time stays the same', async () => {
    const before = { ...well, backlog };
    await health.replace(owner.id, well, before);
    const read = await latest();
    await change(ports, owner, { before: read, after: { ...read, failures: 1 } });
    expect(drains).toEqual([]);
  });

  test('that cannot be started costs neither the change nor the rows', async () => {
    const broken = { ...ports, startDrain: away };
    const after = { ...paused, backlog };
    expect(await change(broken, owner, { before: well, after })).toBe(true);
    const left = await latest();
    expect(left.backlog).toEqual(backlog);
    expect(isUnsaid(left, clock.now() + 40_000)).toBe(true);
    expect(journal.lines.map(({ message }) => message)).toEqual(['health.unsaid']);
  });

  test('is a message that names the endpoint and its turn, in the group of the organization', () => {
    const sent = outgoingDrain(owner, 4, 9);
    expect(sent).toMatchObject({ delaySeconds: 9, groupId: 'org_1' });
    const message = { v: 1, organizationId: 'org_1', endpointId: owner.id };
    expect(drainMessage.parse(JSON.parse(sent.body))).toEqual({ ...message, turn: 4 });
    expect(drainMessage.parse(JSON.parse(outgoingDrain(owner, undefined, 0).body))).toEqual(message);
  });
});
