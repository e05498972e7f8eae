import type { DeliveryRoutesPorts } from '../../lambdas/delivery/routes.ts';
import type { ResumePorts } from '../../lambdas/endpoint/health/resume.ts';
import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import type { RegisterPorts } from '../../lambdas/endpoint/register.ts';
import { defaultTargetRules } from '../../lambdas/endpoint/target.ts';
import type { BeginPorts } from '../../lambdas/recovery/begin.ts';
import { outgoingJob } from '../../lambdas/recovery/job.ts';
import type { JobMessage } from '../../lambdas/recovery/job.ts';
import { ensureKey } from '../../lambdas/signing/rotate-keys.ts';
import type { KeyPorts } from '../../lambdas/signing/rotate-keys.ts';
import { uuid } from '../../local/aws/setting.ts';
import type { JobStore } from '../fakes/jobs.ts';
import { suspendable } from './life.ts';
import type { Life } from './life.ts';
import { watchHealth } from './watched-ledger.ts';
import { watchAnnounce, watchLog, watchSend } from './watched-messages.ts';
import type { World } from './world.ts';

/** What a call of the API reaches. */
export interface ApiPorts {
  readonly registration: RegisterPorts;
  readonly resumption: ResumePorts;
  readonly keys: KeyPorts;
  readonly deliveries: DeliveryRoutesPorts;
  readonly recovery: BeginPorts & { readonly jobs: Pick<JobStore, 'cancel'> };
  readonly getEndpoint: (organizationId: string, id: string) => Promise<Endpoint | undefined>;
}

/**
 * Calls the API; whatever befalls the call on its way, somebody tries again until it has been made. What its caller
 * did wrong, he does not.
 */
export function callApi(world: World, name: string, call: (ports: ApiPorts) => Promise<void>): void {
  const { time, journal, underWay } = world;
  underWay.add(call);
  const life: Life = {
    ...{ name: 'api', isOver: false, skewMs: 0, works: [] },
    end: () => {
      if (life.isOver) return;
      life.isOver = true;
      again('dies');
    },
  };
  const again = (why: string) => {
    journal.tell('api', () => `${name} ${why}, and is called again`);
    time.later(10_000, () => {
      callApi(world, name, call);
    });
  };
  journal.tell('api', () => name);
  call(apiPorts(world, life)).then(
    () => underWay.delete(call),
    (fault: unknown) => {
      if (fault instanceof Error && fault.name === 'ThrottlingException') {
        again('fails');
        return;
      }
      journal.tell('api', () => `${name} is refused: ${String(fault)}`);
      underWay.delete(call);
    },
  );
}

function apiPorts(world: World, life: Life): ApiPorts {
  const { time, configuration, ledger, health } = world;
  const send = watchSend(world, life, world.queues.retries);
  const watched = watchHealth(world, life);
  const say = { announce: watchAnnounce(world, life), now: time.now, log: watchLog(world, life) };
  const raw: ApiPorts = {
    registration: registration(world),
    resumption: { health: watched, ...say },
    keys: { ...world.keys, now: time.now },
    deliveries: {
      getEndpoint: configuration.endpoints.get,
      readHealth: health.readLatest,
      getEvent: ledger.events.get,
      deliveries: ledger.deliveries,
      send: (message) => send(message),
    },
    recovery: { jobs: world.jobs, start: sendJob(world) },
    getEndpoint: configuration.endpoints.get,
  };
  return suspendable(raw, world, life);
}

function registration(world: World): RegisterPorts {
  const { time, chance, configuration, secrets, book, keys } = world;
  return {
    rules: {
      listEventTypes: () => Promise.resolve([]),
      target: defaultTargetRules,
      retentionDays: 30,
      endpointsMax: 1_000,
    },
    endpoints: {
      add: configuration.endpoints.add,
      count: configuration.endpoints.count,
      idsNamed: configuration.endpoints.idsNamed,
      replace: async (before, after) => {
        const isReplaced = await configuration.endpoints.replace(before, after);
        if (isReplaced) book.endpoint(after.id).change(time.now(), after);
        return isReplaced;
      },
      remove: async (organizationId, id) => {
        await configuration.endpoints.remove(organizationId, id);
        book.endpoint(id).change(time.now(), undefined);
      },
    },
    secrets: {
      put: async (name, version) => {
        book.secrets.set(version.id, version.value);
        await secrets.put(name, version);
      },
      retire: secrets.retire,
      remove: secrets.remove,
    },
    chance: {
      newUuid: () => uuid(chance.random),
      randomBytes: () => Uint8Array.from({ length: 32 }, () => chance.below(256)),
    },
    ensureKey: (organizationId) => ensureKey({ ...keys, now: time.now }, organizationId),
    now: time.now,
  };
}

/** Has a recovery worked on. */
export function sendJob({ queues }: World) {
  return async function send(message: JobMessage, delaySeconds: number): Promise<void> {
    await queues.recovery.send(outgoingJob(message, delaySeconds));
  };
}
