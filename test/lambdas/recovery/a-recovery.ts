import { decide } from '../../../lambdas/delivery/decide.ts';
import type { Delivery } from '../../../lambdas/delivery/delivery.ts';
import { outgoing, readMessage } from '../../../lambdas/delivery/message.ts';
import type { DeliveryMessage } from '../../../lambdas/delivery/message.ts';
import { well } from '../../../lambdas/endpoint/health/health.ts';
import { outgoingDrain } from '../../../lambdas/endpoint/health/drain-message.ts';
import type { OperatorEntry } from '../../../lambdas/event/operator-event.ts';
import type { DrainPorts } from '../../../lambdas/recovery/drain/drain.ts';
import { outgoingJob, messageOf } from '../../../lambdas/recovery/job.ts';
import type { Job } from '../../../lambdas/recovery/job.ts';
import { receive } from '../../../lambdas/recovery/receive.ts';
import { receivesBy } from '../../../lambdas/recovery/receives.ts';
import type { RecoverPorts } from '../../../lambdas/recovery/recover.ts';
import { workThroughBatch } from '../../../lambdas/shared/batch.ts';
import { aDelivered } from '../../fakes/a-delivery.ts';
import { anEndpoint } from '../../fakes/an-endpoint.ts';
import { anOrganization } from '../../fakes/an-organization.ts';
import { aClock } from '../../fakes/clock.ts';
import { memoryConfiguration } from '../../fakes/configuration.ts';
import { memoryHealth } from '../../fakes/health.ts';
import { aJob, memoryCandidates, memoryJobs } from '../../fakes/jobs.ts';
import { memoryLedger } from '../../fakes/ledger.ts';
import { memoryLog } from '../../fakes/log.ts';
import { memoryQueue } from '../../fakes/queue.ts';

export type PortName = 'get' | 'advance' | 'readPage' | 'receives' | 'send' | 'goOn' | 'announce';

/** As of the delivery engine: test/lambdas/delivery/a-scene.ts. */
export const fates = ['crash before', 'crash after', 'fault before', 'fault after', 'twice'] as const;

export type Fate = (typeof fates)[number];

export interface Call {
  readonly port: PortName;
  /** Counted over the whole scene, from 0. */
  readonly index: number;
}

export type FateOf = (call: Call) => Fate | undefined;

interface Wish {
  readonly job?: Job;
  readonly pageItems?: number;
  readonly fateOf?: FateOf;
  readonly remainingMs?: () => number;
  /** Time passes while it works: a millisecond by each look at the clock. */
  readonly isTicking?: boolean;
}

export type Scene = ReturnType<typeof aRecovery>;

/** A job between fakes, in pages of three, with a queue for itself and the one that it sends deliveries to. */
export function aRecovery(wish: Wish = {}) {
  const { job = aJob(), pageItems = 3, fateOf = () => undefined, remainingMs = () => 60_000 } = wish;
  const clock = aClock();
  const ledger = memoryLedger(clock.now);
  const configuration = memoryConfiguration();
  const health = memoryHealth(clock.now, ledger.tables);
  const jobs = memoryJobs(clock.now, ledger.tables);
  const queue = memoryQueue({ now: clock.now, visibilityMs: 360_000, maxReceiveCount: 20 });
  const retries = memoryQueue({ now: clock.now });
  const journal = memoryLog();
  const announced: OperatorEntry[] = [];
  const calls: Call[] = [];
  configuration.setOrganization(anOrganization());
  configuration.set(anEndpoint());

  const ports: RecoverPorts & DrainPorts = {
    jobs,
    readPage: memoryCandidates(ledger, clock.now, pageItems),
    receives: receivesBy({
      readRecipient: configuration.readRecipient,
      readHealth: health.read,
    }),
    readRecipientLatest: configuration.readRecipient,
    health,
    waiting: ledger.waiting,
    startDrain: (owner, turn, delaySeconds) => queue.send(outgoingDrain(owner, turn, delaySeconds)),
    send: (message, delaySeconds) => retries.send(outgoing(message, delaySeconds)),
    goOn: (message, delaySeconds) => queue.send(outgoingJob(message, delaySeconds)),
    announce: (entry) => Promise.resolve(void announced.push(entry)),
    now: () => {
      if (wish.isTicking === true) clock.pass(1);
      return clock.now();
    },
    log: journal.log,
  };
  const settings = { fateOf };
  const invoke = async (): Promise<void> => {
    const life = { isOver: false };
    const records = queue.receive(1);
    const own = mortal(ports, { life, calls, fateOf: (call) => settings.fateOf(call) });
    const answer = await workThroughBatch({ release: queue.release, log: journal.log }, records, (record) =>
      receive(own, record, remainingMs),
    );
    // A function that has died answers nothing: its message comes back when its visibility ends.
    if (life.isOver) return;
    const failed = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const record of records) if (!failed.has(record.messageId)) queue.delete(record);
  };

  const scene = {
    ...{
      clock,
      ledger,
      configuration,
      health,
      jobs,
      queue,
      retries,
      journal,
      announced,
      calls,
      settings,
      ports,
    },
    job: async (): Promise<Job> => {
      const found = await jobs.get(job.organizationId, job.id);
      if (found === undefined) throw new Error('there is no job');
      return found;
    },
    /** Makes the job, as the API does. */
    begin: async () => {
      await jobs.add(job);
      await scene.wake();
    },
    /** One more message of the job. */
    wake: () => queue.send(outgoingJob(messageOf(job), 0)),
    /** Moves on to the job's next message and works on it; false when there is none. */
    step: async (): Promise<boolean> => {
      const nextAtMs = queue.nextAtMs();
      if (nextAtMs === undefined) return false;
      clock.passTo(nextAtMs);
      await invoke();
      return true;
    },
    /** Works until the job has no message any more. */
    settle: async (): Promise<void> => {
      for (let steps = 0; await scene.step(); steps += 1) {
        if (steps > 500) throw new Error('the job finds no end');
      }
    },
  };
  return scene;
}

/** What was sent to be delivered. */
export function messagesOf({ retries }: Pick<Scene, 'retries'>): DeliveryMessage[] {
  return retries.sent.map(({ body }) => {
    const message = readMessage(body);
    if (message === undefined) throw new Error('deliver could not read this message');
    return message;
  });
}

/** Delivers what was sent, as the delivery engine decides it; gives the ids of the events that were posted. */
export async function deliverAll(scene: Scene): Promise<string[]> {
  const { ledger, configuration } = scene;
  const posted: string[] = [];
  for (const message of messagesOf(scene)) {
    const { organizationId, endpointId, eventId } = message;
    const recipient = await configuration.readRecipient(organizationId, endpointId);
    const known = await ledger.readKnown(message);
    const decision = decide(message, { ...recipient, ...known, health: well });
    if (decision.kind !== 'attempt') continue;
    posted.push(eventId);
    const { round, attempt } = decision.job.message;
    await ledger.record(deliveredBy({ organizationId, endpointId, eventId, round, attemptCount: attempt }));
  }
  return posted;
}

function deliveredBy(given: Partial<Delivery>): Delivery {
  return aDelivered(given);
}

interface Dooms {
  readonly life: { isOver: boolean };
  readonly calls: Call[];
  readonly fateOf: FateOf;
}

/** The ports of one invocation, which may die at any of them; the dead can call nothing more. */
function mortal<Ports extends RecoverPorts>(ports: Ports, { life, calls, fateOf }: Dooms): Ports {
  const meet = (fate: Fate) => {
    life.isOver ||= fate.startsWith('crash');
    throw new Error(life.isOver ? 'crash' : 'fault');
  };
  const doomed =
    <Args extends unknown[], Value>(port: PortName, call: (...args: Args) => Promise<Value>) =>
    async (...args: Args): Promise<Value> => {
      if (life.isOver) throw new Error('crash');
      const made = { port, index: calls.length };
      calls.push(made);
      const fate = fateOf(made);
      if (fate?.endsWith('before')) meet(fate);
      let value = await call(...args);
      if (fate === 'twice') value = await call(...args);
      if (fate?.endsWith('after')) meet(fate);
      return value;
    };
  return {
    ...ports,
    jobs: { get: doomed('get', ports.jobs.get), advance: doomed('advance', ports.jobs.advance) },
    readPage: doomed('readPage', ports.readPage),
    receives: doomed('receives', ports.receives),
    send: doomed('send', ports.send),
    goOn: doomed('goOn', ports.goOn),
    announce: doomed('announce', ports.announce),
  };
}
