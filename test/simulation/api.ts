import type { DeliveryRoutesPorts } from '../../lambdas/delivery/routes.ts';
import type { ResumePorts } from '../../lambdas/endpoint/health/resume.ts';
import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import type { RegisterPorts } from '../../lambdas/endpoint/register.ts';
import { defaultTargetRules } from '../fakes/target-rules.ts';
import type { BeginPorts } from '../../lambdas/recovery/begin.ts';
import { outgoing } from '../../lambdas/delivery/message.ts';
import { outgoingDrain } from '../../lambdas/endpoint/health/drain-message.ts';
import { outgoingJob } from '../../lambdas/recovery/job.ts';
import { Refusal } from '../../lambdas/shared/errors.ts';
import { makeSend } from '../../lambdas/shared/queue.ts';
import type { SayChanged } from '../../lambdas/shared/versions.ts';
import { makeSayChanged } from '../../lambdas/shared/versions/store.ts';
import { ensureKey } from '../../lambdas/signing/rotate-keys.ts';
import type { KeyPorts } from '../../lambdas/signing/rotate-keys.ts';
import { uuid } from '../../local/aws/setting.ts';
import { suspendable } from './life.ts';
import type { Life } from './life.ts';
import { reachOf } from './ports.ts';
import { Stores } from './stores.ts';
import { watchAnnounce } from './watched-messages.ts';
import type { World } from './world.ts';

/** What a call of the API reaches. */
export interface ApiPorts {
  readonly registration: RegisterPorts;
  readonly resumption: ResumePorts;
  readonly keys: KeyPorts;
  readonly deliveries: DeliveryRoutesPorts;
  readonly recovery: BeginPorts & { readonly jobs: Pick<Stores['jobs'], 'cancel'> };
  /** Lets go of what was observed of an endpoint. */
  readonly forget: (endpointId: string) => Promise<void>;
  readonly getEndpoint: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
  readonly sayChanged: SayChanged;
}

export interface ApiCall {
  readonly name: string;
  readonly call: (ports: ApiPorts) => Promise<void>;
  /** Whose configuration it changes: every function is told before the caller is answered (decision 30). */
  readonly changed?: string;
}

/**
 * Calls the API; whatever befalls the call on its way, somebody tries again until it has been made. What its caller
 * did wrong, he does not.
 */
export function callApi(world: World, asked: ApiCall): void {
  const { name, call, changed } = asked;
  const { time, journal, underWay, book } = world;
  underWay.add(asked);
  const life: Life = {
    ...{ name: 'api', isOver: false, skewMs: 0, works: [], sent: [] },
    end: () => {
      if (life.isOver) return;
      life.isOver = true;
      again('dies');
    },
  };
  const again = (why: string) => {
    journal.tell('api', () => `${name} ${why}, and is called again`);
    time.later(10_000, () => {
      callApi(world, asked);
    });
  };
  journal.tell('api', () => name);
  const ports = apiPorts(world, life);
  const answered = async (): Promise<void> => {
    await call(ports);
    if (changed === undefined) return;
    await ports.sayChanged(changed);
    book.answer(changed, time.now());
  };
  answered().then(
    () => underWay.delete(asked),
    (fault: unknown) => {
      if (isOurs(fault)) {
        again('fails');
        return;
      }
      journal.tell('api', () => `${name} is refused: ${String(fault)}`);
      underWay.delete(asked);
    },
  );
}

/** The service has failed, not its caller. */
function isOurs(fault: unknown): boolean {
  return !(fault instanceof Refusal);
}

function apiPorts(world: World, life: Life): ApiPorts {
  const { client, sqs, log } = reachOf(world, life);
  const stores = new Stores(client, world.tables, world.time.now);
  const { retries, recovery } = world.queues;
  const [send, sendWork] = [makeSend(sqs, retries.url), makeSend(sqs, recovery.url)];
  const { announce } = suspendable({ announce: watchAnnounce(world, life) }, world, life);
  return {
    registration: registration(world, life, stores),
    resumption: {
      health: stores.health,
      startDrain: (owner, turn, delaySeconds) => sendWork(outgoingDrain(owner, turn, delaySeconds)),
      ...{ announce, now: world.time.now, log },
    },
    forget: stores.health.forget,
    keys: keyPorts(world, life, stores),
    deliveries: {
      getEndpoint: stores.endpoints.get,
      readHealth: stores.health.readLatest,
      getEvent: stores.events.get,
      deliveries: stores.deliveries,
      send: (message) => send(outgoing(message, 0)),
    },
    recovery: {
      jobs: stores.jobs,
      start: (message, delaySeconds) => sendWork(outgoingJob(message, delaySeconds)),
    },
    getEndpoint: stores.endpoints.get,
    sayChanged: makeSayChanged(client, world.tables.config),
  };
}

function keyPorts(world: World, life: Life, { keys }: Stores): KeyPorts {
  const { createKey } = suspendable({ createKey: world.kms.createKey }, world, life);
  return { keys, createKey, now: world.time.now };
}

function registration(world: World, life: Life, stores: Stores): RegisterPorts {
  const { time, chance, book, secrets: kept } = world;
  const { secrets } = suspendable(
    {
      secrets: {
        put: async (...[name, version]: Parameters<typeof kept.put>) => {
          book.secrets.set(version.id, version.value);
          await kept.put(name, version);
        },
        retire: kept.retire,
        remove: kept.remove,
      },
    },
    world,
    life,
  );
  return {
    rules: {
      listEventTypes: () => Promise.resolve([]),
      target: defaultTargetRules,
      retentionDays: 30,
      endpointsMax: 1_000,
    },
    ...{ endpoints: stores.endpoints, secrets },
    chance: {
      newUuid: () => uuid(chance.random),
      randomBytes: () => Uint8Array.from({ length: 32 }, () => chance.below(256)),
    },
    ensureKey: (organizationId) => ensureKey(keyPorts(world, life, stores), organizationId),
    now: time.now,
  };
}
