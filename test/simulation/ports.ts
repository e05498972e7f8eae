import { randomUUID } from 'node:crypto';
import { isServed } from '../../lambdas/delivery/decide.ts';
import type { Recipient } from '../../lambdas/delivery/decide.ts';
import type { DeliverPorts } from '../../lambdas/delivery/deliver.ts';
import { isNotEmpty, prepare } from '../../lambdas/request/prepare.ts';
import type { PreparePorts } from '../../lambdas/request/prepare.ts';
import { defaultTargetRules } from '../../lambdas/endpoint/target.ts';
import { exists } from '../../lambdas/endpoint/subscribers.ts';
import type { Subscribers } from '../../lambdas/endpoint/subscribers.ts';
import { catalogueOf } from '../../lambdas/event/catalogue.ts';
import type { Catalogue } from '../../lambdas/event/catalogue.ts';
import type { RoutePorts } from '../../lambdas/routing/route-event.ts';
import type { BatchPorts } from '../../lambdas/shared/batch.ts';
import type { SigningKey } from '../../lambdas/signing/signing-key.ts';
import { AwsError } from '../../local/aws/aws-error.ts';
import type { Queue } from '../../local/aws/sqs-queue.ts';
import { shareCache, shareHealth } from './caches.ts';
import { suspendable } from './life.ts';
import type { Life } from './life.ts';
import { issuer } from './verify.ts';
import { watchAdd, watchHealth, watchRecord } from './watched-ledger.ts';
import { watchAnnounce, watchLog, watchSend } from './watched-messages.ts';
import { watchPost } from './watched-receivers.ts';
import type { World } from './world.ts';

const recipients = shareCache<Recipient>(isServed);
const signingKeys = shareCache<readonly SigningKey[]>(isNotEmpty);
const secrets = shareCache<{ readonly value: string }>(() => true, { ttlMs: 0 });
const subscribers = shareCache<Subscribers>(exists);
const catalogues = shareCache<Catalogue>(() => true);
const healths = shareHealth();

const never = (): Promise<never> => Promise.reject(new Error('this is not called'));

/** The ports of an instance, made as lambdas/delivery/handler.ts makes them. */
export function deliverPorts(world: World, life: Life): DeliverPorts & BatchPorts {
  const { time, chance, ledger, configuration, retentionDays } = world;
  const log = watchLog(world, life);
  const now = () => time.now() + life.skewMs;
  const reached = suspendable(
    {
      readRecipient: configuration.readRecipient,
      readKnown: ledger.readKnown,
      record: watchRecord(world, life),
      health: watchHealth(world, life),
      reserve: world.health.reserve,
      announce: watchAnnounce(world, life),
      send: watchSend(world, life, world.queues.retries),
      post: watchPost(world, life),
      release: releaseTo(world),
      readSecret: world.secrets.readSecret,
      readSigningKeys: world.keys.keys.list,
      signDigest: world.keys.signDigest,
    },
    world,
    life,
  );
  const { readRecipient, readKnown, record, health, reserve, announce, send, post, release } = reached;
  const preparation = preparationOf(reached, now);
  const ports: DeliverPorts = {
    readRecipient: recipients((organizationId = '', endpointId = '') =>
      readRecipient(organizationId, endpointId),
    ),
    health: healths(health),
    prepare: (endpoint, unsigned) => prepare(preparation, endpoint, unsigned),
    targetRules: defaultTargetRules,
    random: chance.random,
    newId: randomUUID,
    ...{ readKnown, record, reserve, announce, send, post, retentionDays, now, log },
  };
  return { ...(world.plant?.ports?.(ports, world.plantedPast) ?? ports), release };
}

type Reached = Pick<PreparePorts, 'readSecret' | 'readSigningKeys' | 'signDigest'>;

function preparationOf(
  { readSecret, readSigningKeys, signDigest }: Reached,
  now: () => number,
): PreparePorts {
  const parts = ['signing', 'headers', 'client-certificate'] as const;
  const kept = secrets(async (...ids) => {
    const [organizationId = '', endpointId = '', part = '', versionId = ''] = ids;
    const known = parts.find((one) => one === part) ?? 'signing';
    return { value: await readSecret({ organizationId, endpointId, part: known }, versionId) };
  });
  return {
    readSecret: async ({ organizationId, endpointId, part }, versionId) =>
      (await kept(organizationId, endpointId, part, versionId)).value,
    readSigningKeys: signingKeys((organizationId = '') => readSigningKeys(organizationId)),
    ...{ signDigest, issuer, now },
  };
}

/** The same of lambdas/routing/handler.ts. */
export function routePorts(world: World, life: Life): RoutePorts & BatchPorts {
  const { time, configuration, retentionDays } = world;
  const log = watchLog(world, life);
  const { readSubscribers, listEventTypes, readHealth, add, send, release } = suspendable(
    {
      readSubscribers: configuration.readSubscribers,
      listEventTypes: () => Promise.resolve([]),
      readHealth: world.health.read,
      add: watchAdd(world, life),
      send: watchSend(world, life, world.queues.deliveries),
      release: releaseTo(world),
    },
    world,
    life,
  );
  return {
    readSubscribers: subscribers((organizationId = '') => readSubscribers(organizationId)),
    readHealth: healths({ read: readHealth, readLatest: never, replace: never }).read,
    readCatalogue: catalogues(async () => catalogueOf(await listEventTypes())),
    clock: { now: () => time.now() + life.skewMs, retentionDays },
    schemas: 'warn',
    ...{ add, send, release, log },
  };
}

/** Makes messages visible at once, each in the queue that it came from. */
export function releaseTo({ sqs }: World): BatchPorts['release'] {
  return (records) => {
    for (const { eventSourceARN, receiptHandle } of records)
      showAgain(sqs.queueByArn(eventSourceARN), receiptHandle);
    return Promise.resolve();
  };
}

/** A message that is not in flight any more is a failed entry of the batch, which nobody looks at. */
export function showAgain(queue: Queue, receiptHandle: string): void {
  try {
    queue.changeVisibility(receiptHandle, 0);
  } catch (fault) {
    if (!(fault instanceof AwsError)) throw fault;
  }
}
