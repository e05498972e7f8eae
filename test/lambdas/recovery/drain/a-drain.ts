import type { SQSRecord } from 'aws-lambda';
import type { Delivery } from '../../../../lambdas/delivery/delivery.ts';
import { outgoing, readMessage } from '../../../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../../../lambdas/delivery/message.ts';
import { raise } from '../../../../lambdas/delivery/park.ts';
import type { Backlog } from '../../../../lambdas/endpoint/health/backlog.ts';
import { outgoingDrain } from '../../../../lambdas/endpoint/health/drain-message.ts';
import { admission } from '../../../../lambdas/endpoint/health/health.ts';
import type { Health } from '../../../../lambdas/endpoint/health/health.ts';
import { observe } from '../../../../lambdas/endpoint/health/observe.ts';
import { change } from '../../../../lambdas/endpoint/health/say.ts';
import type { OperatorEntry } from '../../../../lambdas/event/operator-event.ts';
import { defaultPolicy } from '../../../../lambdas/organization/policy.ts';
import type { DrainPorts } from '../../../../lambdas/recovery/drain/drain.ts';
import { receive } from '../../../../lambdas/recovery/receive.ts';
import type { RecoverPorts } from '../../../../lambdas/recovery/recover.ts';
import { expiryOf } from '../../../../lambdas/shared/time.ts';
import { behind, dueAt, timeOfPlace } from '../../../../lambdas/shared/waiting.ts';
import { aDelivered, aDelivery } from '../../../fakes/a-delivery.ts';
import { anEndpoint } from '../../../fakes/an-endpoint.ts';
import { anOrganization } from '../../../fakes/an-organization.ts';
import { aClock } from '../../../fakes/clock.ts';
import { memoryConfiguration } from '../../../fakes/configuration.ts';
import { memoryHealth } from '../../../fakes/health.ts';
import { eventIdOf } from '../../../fakes/ids.ts';
import { memoryCandidates, memoryJobs } from '../../../fakes/jobs.ts';
import { memoryLedger } from '../../../fakes/ledger.ts';
import { memoryLog } from '../../../fakes/log.ts';
import { memoryQueue } from '../../../fakes/queue.ts';
import { memoryTables } from '../../../fakes/table/memory-tables.ts';
import { mortal } from './mortal.ts';
import type { Call, FateOf } from './mortal.ts';

export type Scene = ReturnType<typeof aDrain>;

const endpoint = anEndpoint();
const owner = { id: endpoint.id, organizationId: endpoint.organizationId };

interface Wish {
  /** What the endpoint's policy allows; as much as comes, if left out. */
  readonly perSecond?: number;
  readonly fateOf?: FateOf;
  readonly indexLagMs?: number;
}

/** What becomes of a message that asks for an attempt: it is made; it is lost; it lies there. */
export type Lane = 'delivers' | 'loses' | 'keeps';

/** The drain of one endpoint between real stores, with the lane that it sends to and whoever comes every minute. */
export function aDrain(wish: Wish = {}) {
  const things = someThings(wish);
  const { clock, ledger, health, drains, woken } = things;
  const { ports, sayPorts } = portsOf(things);
  const settings: { fateOf: FateOf; lane: Lane } = {
    fateOf: wish.fateOf ?? (() => undefined),
    lane: 'delivers',
  };
  const calls: Call[] = [];
  const latest = () => health.readLatest(owner.id);
  const invoke = (record: SQSRecord) =>
    invokeDrain(things, ports, { record, calls, fateOf: (call) => settings.fateOf(call) });
  const scene = {
    ...{ ...things, ports, settings, calls, owner, latest, invoke },
    parkPorts: { ...sayPorts, rewrite: ledger.rewrite, retentionDays: 30 },
    /** Has a delivery of each name wait as a row, and somebody come for it, as deliver does. */
    park: async (...names: string[]): Promise<void> => {
      for (const name of names) await ledger.rewrite(parkedRow(clock.now(), name));
      await raise(scene.parkPorts, owner, await latest());
    },
    /** The same for very many, a millisecond apart, of which the last is parked now. */
    parkMany: async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 1)
        await ledger.rewrite(parkedRow(clock.now() - count + index + 1, String(index)));
      await raise(scene.parkPorts, owner, await latest());
    },
    setHealth: async (given: Partial<Health>): Promise<void> => {
      const before = await latest();
      await change(sayPorts, owner, { before, after: { ...before, ...given } });
    },
    /** Moves on to whatever comes next, if it comes by then, and does it; false when nothing does. */
    step: async (untilMs = Infinity): Promise<boolean> => {
      const next = await nextOf(things, settings.lane);
      if (next.atMs === Infinity || next.atMs > untilMs) return false;
      clock.passTo(next.atMs);
      if (next.what === 'message') await attemptAll(things, settings.lane);
      if (next.what === 'drain') for (const record of drains.receive(1)) await invoke(record);
      if (next.what === 'wake') {
        // The index may have been behind, and the row stands elsewhere by now.
        const row = await rowOfHealth(things);
        if (row === undefined || timeOfPlace(row) > clock.now()) return true;
        woken.at = row.waitingAt;
        await drains.send(outgoingDrain(owner, undefined, 0));
      }
      return true;
    },
    /** Goes on until nothing comes any more, or a moment has come. */
    run: async (untilMs = Infinity): Promise<void> => {
      for (let steps = 0; await scene.step(untilMs); steps += 1)
        if (steps > 20_000) throw new Error('the drain finds no end');
      if (untilMs !== Infinity) clock.passTo(untilMs);
    },
  };
  return scene;
}

export const names = (count: number) => Array.from({ length: count }, (_, index) => String(index));
export const idsOf = (all: readonly string[]) => all.map((name) => eventIdOf(name));
export const postedIds = ({ posted }: Scene) => posted.map(({ eventId }) => eventId);
export const isOver = async ({ latest }: Scene) => (await latest()).backlog === undefined;

export async function backlogOf({ latest }: Scene): Promise<Backlog> {
  const { backlog } = await latest();
  if (backlog === undefined) throw new Error('nothing waits');
  return backlog;
}

type Things = ReturnType<typeof someThings>;

function someThings({ perSecond, indexLagMs = 0 }: Wish) {
  const clock = aClock();
  const tables = memoryTables({ now: clock.now, indexLagMs: () => indexLagMs });
  const configuration = memoryConfiguration();
  configuration.setOrganization(anOrganization());
  configuration.set({
    ...endpoint,
    policy: perSecond === undefined ? {} : { rateLimitPerSecond: perSecond },
  });
  return {
    ...{ clock, tables, configuration },
    ledger: memoryLedger(clock.now, tables),
    health: memoryHealth(clock.now, tables),
    drains: memoryQueue({ now: clock.now, visibilityMs: 360_000, maxReceiveCount: 20 }),
    retries: memoryQueue({ now: clock.now, maxReceiveCount: 50 }),
    journal: memoryLog(),
    announced: [] as OperatorEntry[],
    /** Events that were posted, in their order, and when. */
    posted: [] as { readonly eventId: string; readonly atMs: number }[],
    /** What somebody else does in the middle of a step. */
    meanwhile: { act: () => Promise.resolve() },
    /** The place up to which whoever comes every minute has come. */
    woken: { at: undefined as string | undefined },
  };
}

function portsOf({ clock, ledger, health, drains, retries, journal, announced, ...things }: Things) {
  const { configuration, meanwhile } = things;
  const sayPorts = {
    health,
    announce: (entry: OperatorEntry) => Promise.resolve(void announced.push(entry)),
    startDrain: (whose: typeof owner, turn: number, delaySeconds: number) =>
      drains.send(outgoingDrain(whose, turn, delaySeconds)),
    now: clock.now,
    log: journal.log,
  };
  const ports: DrainPorts & RecoverPorts = {
    ...sayPorts,
    readRecipientLatest: async (...ids) => {
      await meanwhile.act();
      return configuration.readRecipient(...ids);
    },
    waiting: ledger.waiting,
    send: (message, delaySeconds) => retries.send(outgoing(message, delaySeconds)),
    jobs: memoryJobs(clock.now, ledger.tables),
    readPage: memoryCandidates(ledger, clock.now),
    receives: () => Promise.resolve(true),
    goOn: () => Promise.reject(new Error('there is no job')),
  };
  return { ports, sayPorts };
}

interface Dooms {
  readonly record: SQSRecord;
  readonly calls: Call[];
  readonly fateOf: FateOf;
}

/** Has a function work on a drain's message; one that dies leaves it until its visibility ends. */
async function invokeDrain(
  { drains }: Things,
  ports: DrainPorts & RecoverPorts,
  { record, calls, fateOf }: Dooms,
) {
  const life = { isOver: false };
  try {
    await receive({ ...ports, ...mortal(ports, { life, calls, fateOf }) }, record, () => 60_000);
  } catch (fault) {
    if (life.isOver) return;
    if (!(fault instanceof Error) || fault.name !== 'Fault') throw fault;
    await drains.release([record]);
    return;
  }
  if (!life.isOver) drains.delete(record);
}

/** The record of a delivery that waits for the endpoint since a moment. */
export function parkedRow(sinceMs: number, name: string): Delivery {
  const eventId = eventIdOf(name);
  const { nextAttemptAt, ...delivery } = aDelivery({ eventId, attempts: [], attemptCount: 0 });
  return { ...delivery, ...behind(endpoint.id, eventId, sinceMs), expiresAt: expiryOf(sinceMs, 30) };
}

/** The endpoint as whoever comes every minute finds it. */
async function rowOfHealth({ ledger, woken }: Things) {
  const { waiting: partition } = dueAt(0, endpoint.id);
  return (await ledger.waiting.list({ partition, after: woken.at, through: '~' }, 1)).rows[0];
}

/** What comes next, and when; at no time, when nothing does. */
async function nextOf(things: Things, lane: Lane) {
  const { retries, drains } = things;
  const row = await rowOfHealth(things);
  const all = [
    { what: 'message', atMs: (lane === 'keeps' ? undefined : retries.nextAtMs()) ?? Infinity },
    { what: 'drain', atMs: drains.nextAtMs() ?? Infinity },
    { what: 'wake', atMs: row === undefined ? Infinity : timeOfPlace(row) },
  ] as const;
  return all.reduce((first, one) => (one.atMs < first.atMs ? one : first));
}

/** Makes, or loses, the attempts whose time has come, as deliver decides. */
async function attemptAll(things: Things, lane: Lane): Promise<void> {
  const { retries, health } = things;
  for (const record of retries.receive(10)) {
    const message = readMessage(record.body);
    if (message === undefined) throw new Error('deliver could not read this message');
    const known = await health.readLatest(endpoint.id);
    const isSentAgain = known.backlog !== undefined && (message.pass ?? 0) < known.backlog.pass;
    if (lane === 'delivers' && !isSentAgain) await attempt(things, known, message);
    retries.delete(record);
  }
}

async function attempt(
  { clock, ledger, posted, ...things }: Things,
  known: Health,
  message: DeliveryMessage,
) {
  const nowMs = clock.now();
  const { kind } = admission(known, nowMs);
  const { delivery } = await ledger.readKnown(message);
  if (kind === 'wait' || delivery?.status !== 'retrying' || delivery.attemptCount >= message.attempt) return;
  const { eventId, attempt: attemptCount, round } = message;
  posted.push({ eventId, atMs: nowMs });
  await ledger.record(aDelivered({ eventId, attemptCount, round, expiresAt: expiryOf(nowMs, 30) }));
  if (kind !== 'probe') return;
  const seen = { kind: 'success', isProbe: true, durationMs: 20 } as const;
  const after = observe(known, seen, { policy: defaultPolicy, nowMs });
  await change(portsOf({ ...things, clock, ledger, posted }).sayPorts, owner, { before: known, after });
}
