import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { z } from 'zod';
import { targetRulesOf } from '../endpoint/env.ts';
import { outgoingDrain } from '../endpoint/health/drain-message.ts';
import { makeHang } from '../endpoint/health/hanging/store.ts';
import { makeTake } from '../endpoint/health/pace/store.ts';
import { remembered } from '../endpoint/health/remembered.ts';
import { makeHealthStore } from '../endpoint/health/store.ts';
import { isNotEmpty, prepare } from '../request/prepare.ts';
import type { PreparePorts } from '../request/prepare.ts';
import type { BatchPorts } from '../shared/batch.ts';
import { cached } from '../shared/cache.ts';
import type { CacheOptions } from '../shared/cache.ts';
import { makeRelease, makeSend } from '../shared/queue.ts';
import { makeBatchedReads } from '../shared/store.ts';
import { byVersion } from '../shared/versions.ts';
import { makeVersions } from '../shared/versions/store.ts';
import type { Versions } from '../shared/versions.ts';
import { makeSigningKeyStore } from '../signing/store.ts';
import { isServed } from './decide.ts';
import type { DeliverPorts } from './deliver.ts';
import type { deliverEnv } from './env.ts';
import { outgoing } from './message.ts';
import { makeRecord, makeRewrite, makeStrikeOff } from './record/store.ts';
import { makeShare } from './share.ts';
import { makeReadKnown, makeReadRecipient } from './store.ts';

/** What the deliver function reaches outside of itself. */
export interface DeliverReach
  extends
    Pick<DeliverPorts, 'announce' | 'post' | 'now' | 'random' | 'newId' | 'log'>,
    Pick<PreparePorts, 'readSecret' | 'signDigest'> {
  readonly client: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  /** The clock of its caches, if it is another one than the process's own. */
  readonly caches?: Pick<CacheOptions, 'now'>;
}

/** The ports of the deliver function; nothing here runs before a message comes. */
export function wireDeliver(
  env: z.output<typeof deliverEnv>,
  reach: DeliverReach,
): DeliverPorts & BatchPorts {
  const { client, sqs, announce, post, now, random, newId, log, caches = {} } = reach;
  const { CONFIG_TABLE: config, LEDGER_TABLE: ledger, RETENTION_DAYS: retentionDays } = env;
  const send = makeSend(sqs, env.RETRIES_QUEUE_URL);
  const sendFalling = makeSend(sqs, env.FALLING_QUEUE_URL);
  const sendDrain = makeSend(sqs, env.RECOVERY_QUEUE_URL);
  const reads = makeBatchedReads(client);
  const versions = makeVersions(reads(config), now);
  const readRecipient = makeReadRecipient(reads(config));
  const preparation = preparationOf(env, reach, versions);
  return {
    readRecipient: byVersion(versions, cached(readRecipient, isServed, caches)),
    readRecipientLatest: readRecipient,
    versions,
    readKnown: makeReadKnown(reads(ledger), now),
    record: makeRecord(client, ledger, now),
    rewrite: makeRewrite(client, ledger, now),
    strikeOff: makeStrikeOff(client, ledger),
    health: remembered(makeHealthStore(client, ledger, now), caches),
    take: makeTake(client, ledger, now),
    hang: makeHang(client, ledger, now),
    share: makeShare(now),
    send: (message, delaySeconds) => send(outgoing(message, delaySeconds)),
    bury: (message) => sendFalling(outgoing(message, 0)),
    startDrain: (owner, turn, delaySeconds) => sendDrain(outgoingDrain(owner, turn, delaySeconds)),
    prepare: (endpoint, unsigned) => prepare(preparation, endpoint, unsigned),
    targetRules: targetRulesOf(env),
    release: makeRelease(sqs, [env.DELIVERIES_QUEUE_URL, env.RETRIES_QUEUE_URL, env.FALLING_QUEUE_URL]),
    ...{ announce, post, retentionDays, now, random, newId, log },
  };
}

function preparationOf(
  { CONFIG_TABLE, ISSUER: issuer }: Pick<z.output<typeof deliverEnv>, 'CONFIG_TABLE' | 'ISSUER'>,
  { client, readSecret, signDigest, now, caches = {} }: DeliverReach,
  versions: Versions,
): PreparePorts {
  const { list } = makeSigningKeyStore(client, CONFIG_TABLE);
  const readSigningKeys = byVersion(versions, cached(list, isNotEmpty, caches));
  return { readSecret, signDigest, readSigningKeys, issuer, now };
}
