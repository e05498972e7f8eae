import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { z } from 'zod';
import { outgoing } from '../delivery/message.ts';
import { remembered } from '../endpoint/health/remembered.ts';
import { makeHealthStore } from '../endpoint/health/store.ts';
import { makeReadSubscribers } from '../endpoint/store.ts';
import { exists } from '../endpoint/subscribers.ts';
import { catalogueOf } from '../event/catalogue.ts';
import type { Announce } from '../event/operator-event.ts';
import { makeEventStore, makeEventTypeStore } from '../event/store.ts';
import type { BatchPorts } from '../shared/batch.ts';
import { cached } from '../shared/cache.ts';
import type { CacheOptions } from '../shared/cache.ts';
import type { Log } from '../shared/log.ts';
import { comesFrom, makeRelease, makeSend } from '../shared/queue.ts';
import { makeBatchedRead } from '../shared/store.ts';
import type { Now } from '../shared/time.ts';
import { byVersion, deployment } from '../shared/versions.ts';
import { makeVersions } from '../shared/versions/store.ts';
import type { routeEnv } from './env.ts';
import { outgoingFalling } from './falling.ts';
import type { ReceivePorts } from './receive.ts';
import { rememberUnknown } from './remember-unknown.ts';
import { makeTellNotJudged } from './tell-not-judged.ts';

/** What the route function reaches outside of itself. */
export interface RouteReach {
  readonly client: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  readonly now: Now;
  readonly log: Log;
  readonly announce: Announce;
  /** The clock of its caches, if it is another one than the process's own. */
  readonly caches?: Pick<CacheOptions, 'now'>;
}

/** The ports of the route function; nothing here runs before an event comes. */
export function wireRoute(
  env: z.output<typeof routeEnv>,
  { client, sqs, now, log, announce, caches = {} }: RouteReach,
): ReceivePorts & BatchPorts {
  const { CONFIG_TABLE: config, LEDGER_TABLE: ledger } = env;
  const eventTypes = makeEventTypeStore(client, config);
  const send = makeSend(sqs, env.DELIVERIES_QUEUE_URL);
  const sendFalling = makeSend(sqs, env.EVENTS_FALLING_QUEUE_URL);
  const versions = makeVersions(makeBatchedRead(client, config), now);
  const readSubscribers = byVersion(versions, cached(makeReadSubscribers(client, config), exists, caches));
  const readCatalogue = byVersion(
    versions,
    cached(
      async () => catalogueOf(await eventTypes.list()),
      () => true,
      caches,
    ),
  );
  return {
    lookUpSubscribers: rememberUnknown(readSubscribers, now),
    readHealth: remembered(makeHealthStore(client, ledger, now), caches).read,
    readCatalogue: () => readCatalogue(deployment),
    versions,
    add: makeEventStore(client, ledger, now).add,
    send: (message) => send(outgoing(message, 0)),
    fall: (record) => sendFalling(outgoingFalling(record)),
    isFalling: comesFrom(env.EVENTS_FALLING_QUEUE_URL),
    clock: { now, retentionDays: env.RETENTION_DAYS },
    schemas: env.EVENT_SCHEMAS,
    tellNotJudged: makeTellNotJudged({ announce, now, log }),
    release: makeRelease(sqs, [env.EVENTS_QUEUE_URL, env.EVENTS_FALLING_QUEUE_URL]),
    announce,
    log,
  };
}
