import { isServed } from '../../delivery/decide.ts';
import type { Recipient } from '../../delivery/decide.ts';
import { nextMessage } from '../../delivery/follow.ts';
import { delaySecondsMax, delayUntil, waitingUntil } from '../../delivery/message.ts';
import type { DeliveryMessage } from '../../delivery/message.ts';
import { isStepping } from '../../endpoint/health/backlog.ts';
import type { Backlog } from '../../endpoint/health/backlog.ts';
import type { Health } from '../../endpoint/health/health.ts';
import type { HealthStore } from '../../endpoint/health/remembered.ts';
import { change, isUnsaid } from '../../endpoint/health/say.ts';
import type { Owner, SayPorts } from '../../endpoint/health/say.ts';
import { effectivePolicy } from '../../organization/policy.ts';
import { isoTime } from '../../shared/time.ts';
import { endpointPartition } from '../../shared/waiting.ts';
import type { ReadWaiting, Row } from '../waiting/row.ts';
import { nextBacklog, passOf, watchedUntil } from './next-backlog.ts';
import type { Next, Step } from './next-backlog.ts';
import { gateStateOf, planOf } from './plan.ts';
import type { Plan } from './plan.ts';
import { progressOf } from './progress.ts';

export interface DrainPorts extends SayPorts {
  readonly health: Pick<HealthStore, 'readLatest' | 'replace'> & {
    readonly forget: (endpointId: string) => Promise<void>;
  };
  readonly readRecipientLatest: (organizationId: string, endpointId: string) => Promise<Recipient>;
  readonly waiting: ReadWaiting;
  /** To the lane of later attempts. */
  readonly send: (message: DeliveryMessage, delaySeconds: number) => Promise<void>;
}

/** Functions' clocks differ, and the index is a little behind: a younger row may still get a neighbour before it. */
const youngMs = 2_000;

/**
 * A step of bringing back what waits for an endpoint: the oldest first, at its pace, from the moment it may receive
 * again. A row keeps its place until its attempt is recorded, so nothing is lost with a message, and a step costs one
 * write for hundreds of rows.
 *
 * Only a message that names the last step that was made begins the next one, and none does while a step is being made: what
 * others want meanwhile, that step sees at its end. Whoever dies in the middle is followed by whoever comes every minute
 * (recovery/wake), at the time that the backlog names.
 *
 * @param turn the step after which this one comes; nothing when it is asked for because its time has come
 */
export async function drain(ports: DrainPorts, owner: Owner, turn: number | undefined): Promise<void> {
  const health = await sayAll(ports, owner);
  const claimed = await claim(ports, owner, { health, turn });
  if (claimed === undefined) return;
  const recipient = await ports.readRecipientLatest(owner.organizationId, owner.id);
  const step = await takeStep(ports, owner, { ...claimed, recipient });
  await end(ports, owner, { ...claimed, step, isDeleted: recipient.endpoint === undefined });
}

/** Says what a worker that died has left unsaid of the endpoint. */
async function sayAll(ports: DrainPorts, owner: Owner): Promise<Health> {
  const health = await ports.health.readLatest(owner.id);
  if (!isUnsaid(health, ports.now())) return health;
  await change(ports, owner, { before: health, after: health });
  return ports.health.readLatest(owner.id);
}

interface Claimed {
  readonly health: Health;
  /** Without what says that this step is being made. */
  readonly backlog: Backlog;
  readonly atMs: number;
  /** When somebody was to come. */
  readonly wantedMs: number;
}

/** So long nobody else begins a step. A call takes ten seconds at most (shared/clients.ts). */
const stepMsMax = 60_000;
/** Later than this a step sends nothing: somebody else might send the same rows. */
const sendingMsMax = 45_000;

const triesMax = 5;

/**
 * Begins the next step; nothing while one is being made, or for a message that names an earlier step. Of all messages
 * that name the same one the first goes on, by its conditional write.
 */
async function claim(
  { health: store, now }: DrainPorts,
  { id }: Owner,
  { health: found, turn }: { health: Health; turn: number | undefined },
): Promise<Claimed | undefined> {
  let health = found;
  for (let tries = 0; tries < triesMax; tries += 1) {
    const before = health.backlog;
    const atMs = now();
    const isNext = turn === undefined ? isDue(before, atMs) : turn === before?.turn;
    if (before === undefined || !isNext || isStepping(before, atMs)) return undefined;
    const wantedMs = Date.parse(before.dueAt);
    const { steppingUntil, ...rest } = before;
    const backlog = { ...rest, turn: before.turn + 1, dueAt: watchedUntil(before.dueAt, atMs) };
    const stepping = { ...backlog, steppingUntil: isoTime(atMs + stepMsMax) };
    if (await store.replace(id, health, { ...health, backlog: stepping })) {
      return {
        health: { ...health, backlog: stepping, version: health.version + 1 },
        backlog,
        atMs,
        wantedMs,
      };
    }
    health = await store.readLatest(id);
  }
  throw new Error('the health of the endpoint changes at each look');
}

/**
 * Functions' clocks differ: whoever came for it by another clock must not be sent away, since nobody else comes within the
 * next hour. A step that is early only waits.
 */
const earlyMsMax = 5_000;

function isDue(backlog: Backlog | undefined, nowMs: number): boolean {
  return backlog !== undefined && Date.parse(backlog.dueAt) <= nowMs + earlyMsMax;
}

interface Situation extends Claimed {
  readonly recipient: Recipient;
}

async function takeStep(
  ports: DrainPorts,
  { id, organizationId }: Owner,
  { health, backlog: claimed, atMs, wantedMs, recipient }: Situation,
): Promise<Step> {
  const nowMs = ports.now();
  const gate = gateStateOf(health);
  const backlog = gate === claimed.gate ? claimed : nextPass(claimed, gate);
  const { endpoint, organization } = recipient;
  const isReceiving = isServed(recipient) && endpoint !== undefined && organization !== undefined;
  const policy = isReceiving ? effectivePolicy(endpoint.policy, organization.policy) : undefined;
  const plan = planOf(health, backlog, { policy, nowMs, wantedMs });
  if (plan.kind === 'wait') return { kind: 'waits', backlog, untilMs: plan.untilMs };
  const partition = endpointPartition(id);
  const { after, ...progress } = await progressOf(ports, { partition, backlog, plan, nowMs });
  const countMax = Math.min(plan.countMax, plan.onTheirWayMax - progress.onTheirWay);
  const through = isoTime(nowMs - youngMs);
  const page =
    countMax <= 0
      ? { rows: [], through: after, isLast: false }
      : await ports.waiting.list({ partition, after, through }, countMax);
  if (Math.abs(ports.now() - atMs) > sendingMsMax) throw new Error('a step takes too long');
  await Promise.all(page.rows.map((row, place) => sendRow(ports, { row, place, backlog, plan, nowMs })));
  const [{ length: sent }, { onTheirWay }] = [page.rows, progress];
  ports.log('backlog.stepped', { organizationId, endpointId: id, pass: backlog.pass, sent, onTheirWay });
  return {
    ...{ kind: 'sent', backlog, ...progress, sent, through: page.through },
    isProbing: health.pause !== undefined,
    isFull: countMax <= 0,
    isEnd: page.isLast,
    pace: plan.pace,
  };
}

/**
 * From the beginning again: what the pass before has sent is dropped where it arrives. The pace's clock begins anew, too:
 * in a pause nothing could be sent, so nothing of that time is to be made good for.
 */
function nextPass({ turn, dueAt }: Backlog, gate: string): Backlog {
  return { turn, pass: passOf(turn), gate, dueAt };
}

interface Sending {
  readonly row: Row;
  readonly place: number;
  readonly backlog: Backlog;
  readonly plan: Extract<Plan, { kind: 'send' }>;
  readonly nowMs: number;
}

async function sendRow({ send }: DrainPorts, { row, place, backlog, plan, nowMs }: Sending): Promise<void> {
  if (row.eventId === undefined) return;
  const { pace } = plan;
  const atMs = pace === undefined ? nowMs : Math.max(nowMs, pace.fromMs + place * pace.spacingMs);
  const message = { ...nextMessage(row), pass: backlog.pass };
  await send(waitingUntil(message, Math.floor(atMs)), delayUntil(atMs, nowMs));
}

interface Ending extends Claimed {
  readonly step: Step;
  readonly isDeleted: boolean;
}

/** Writes how far the step has come, and has the next one made. */
async function end(
  ports: DrainPorts,
  owner: Owner,
  { health: atFirst, backlog: claimed, step, isDeleted }: Ending,
): Promise<void> {
  const { turn, dueAt } = claimed;
  const planned = nextBacklog(step, ports.now());
  let health = atFirst;
  for (let tries = 0; tries < triesMax; tries += 1) {
    const stored = health.backlog;
    // Somebody else has taken over, or what changed meanwhile has emptied it.
    if (stored?.turn !== turn) return;
    const { backlog, untilMs } = stored.dueAt === dueAt ? planned : sooner(planned, claimed, stored);
    const after: Health = { ...health, backlog };
    if (await ports.health.replace(owner.id, health, after)) {
      if (backlog !== undefined) await goOn(ports, owner, { turn, untilMs });
      else if (isDeleted) await ports.health.forget(owner.id);
      return;
    }
    health = await ports.health.readLatest(owner.id);
  }
  throw new Error('the health of the endpoint changes at each look');
}

/**
 * What follows from a step during which somebody wanted the rows sooner: his own message may have come to nothing.
 * Whoever has ended a pause wants them now; who has parked one wants it brought back, though this step has seen none.
 */
function sooner(planned: Next, claimed: Backlog, stored: Backlog): Next {
  const { dueAt } = stored;
  const dueMs = Date.parse(dueAt);
  const isRaised = claimed.emptyAt !== undefined && stored.emptyAt === undefined;
  const backlog = isRaised ? opened(planned.backlog ?? claimed) : planned.backlog;
  if (backlog === undefined) return planned;
  const isLater = planned.backlog !== undefined && dueMs >= planned.untilMs;
  return isLater ? { backlog, untilMs: planned.untilMs } : { backlog: { ...backlog, dueAt }, untilMs: dueMs };
}

function opened({ emptyAt, ...rest }: Backlog): Backlog {
  return rest;
}

async function goOn(
  { startDrain, now }: DrainPorts,
  owner: Owner,
  { turn, untilMs }: { turn: number; untilMs: number },
): Promise<void> {
  const waitSeconds = Math.max(0, Math.ceil((untilMs - now()) / 1000));
  if (waitSeconds <= delaySecondsMax) await startDrain(owner, turn, waitSeconds);
}
