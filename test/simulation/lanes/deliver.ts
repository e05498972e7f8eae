import type { SQSClient } from '@aws-sdk/client-sqs';
import { isServed } from '../../../lambdas/delivery/decide.ts';
import type { DeliverPorts } from '../../../lambdas/delivery/deliver.ts';
import { outgoing } from '../../../lambdas/delivery/message.ts';
import { receiveBatch } from '../../../lambdas/delivery/receive.ts';
import { makeRecord, makeRewrite, makeStrikeOff } from '../../../lambdas/delivery/record/store.ts';
import { makeShare } from '../../../lambdas/delivery/share.ts';
import { makeReadKnown, makeReadRecipient } from '../../../lambdas/delivery/store.ts';
import { outgoingDrain } from '../../../lambdas/endpoint/health/drain-message.ts';
import { makeHang } from '../../../lambdas/endpoint/health/hanging/store.ts';
import { makeTake } from '../../../lambdas/endpoint/health/pace/store.ts';
import { remembered } from '../../../lambdas/endpoint/health/remembered.ts';
import { makeHealthStore } from '../../../lambdas/endpoint/health/store.ts';
import { defaultTargetRules } from '../../fakes/target-rules.ts';
import { prepare } from '../../../lambdas/request/prepare.ts';
import { cached } from '../../../lambdas/shared/cache.ts';
import { makeSend } from '../../../lambdas/shared/queue.ts';
import { makeBatchedReads } from '../../../lambdas/shared/store.ts';
import { byVersion } from '../../../lambdas/shared/versions.ts';
import { makeVersions } from '../../../lambdas/shared/versions/store.ts';
import { memorySigningKeys } from '../../fakes/signing-keys.ts';
import type { Work } from './function.ts';
import { postTo } from './receiver.ts';
import { urlOf } from './sqs.ts';
import type { Surroundings } from './surroundings.ts';

/** Of an attempt, and of a message that only waits or is dropped: 4 ms and 1 ms of a whole CPU, of which 512 MB get 0.289. */
const cpuMs = { attempt: 4 / 0.289, message: 1 / 0.289 };

/** An instance of `deliver`, wired as its handler wires it. */
export function makeDeliver(around: Surroundings, sqs: SQSClient): Work {
  const { time } = around;
  const used = { attempts: 0 };
  const ports = { ...readsAndWrites(around), ...waysOut(around, sqs, used) };
  return async function work(records, remainingMs) {
    used.attempts = 0;
    const answer = await receiveBatch(ports, records, remainingMs);
    await time.sleep(used.attempts * cpuMs.attempt + (records.length - used.attempts) * cpuMs.message);
    return answer;
  };
}

function readsAndWrites({ time, meter, tables, travel }: Surroundings) {
  const client = tables.clientFor({ observe: meter.observer('deliver'), travel });
  const { ledger, config } = tables;
  const { now } = time;
  const reads = makeBatchedReads(client);
  const versions = makeVersions(reads(config), now);
  const readRecipient = makeReadRecipient(reads(config));
  return {
    readRecipient: byVersion(versions, cached(readRecipient, isServed, { now })),
    readRecipientLatest: readRecipient,
    versions,
    readKnown: makeReadKnown(reads(ledger), now),
    record: makeRecord(client, ledger, now),
    rewrite: makeRewrite(client, ledger, now),
    strikeOff: makeStrikeOff(client, ledger),
    health: remembered(makeHealthStore(client, ledger, now), { now }),
    take: makeTake(client, ledger, now),
    hang: makeHang(client, ledger, now),
    share: makeShare(now),
    now,
    retentionDays: 30,
  };
}

function waysOut(around: Surroundings, sqs: SQSClient, used: { attempts: number }) {
  const { time, chance, meter, secrets, receive, onLog, travel, newId } = around;
  const post = postTo(receive, time);
  const send = makeSend(sqs, urlOf('retries'));
  const sendFalling = makeSend(sqs, urlOf('falling'));
  const sendDrain = makeSend(sqs, urlOf('recovery'));
  const preparation = { ...memorySigningKeys(), readSecret: secrets.readSecret, now: time.now };
  return {
    announce: travel,
    send: (message, delaySeconds) => send(outgoing(message, delaySeconds)),
    bury: (message) => sendFalling(outgoing(message, 0)),
    startDrain: (owner, turn, delaySeconds) => sendDrain(outgoingDrain(owner, turn, delaySeconds)),
    prepare: (endpoint, unsigned) => prepare(preparation, endpoint, unsigned),
    post: (request) => {
      used.attempts += 1;
      return post(request);
    },
    targetRules: defaultTargetRules,
    random: chance,
    newId,
    release: () => Promise.reject(new Error('nothing falls here')),
    log: (message, fields) => {
      meter.logLine('deliver', message, fields);
      onLog(message, fields);
    },
  } satisfies Partial<DeliverPorts> & { release: () => Promise<void> };
}
