import type { SQSClient } from '@aws-sdk/client-sqs';
import { outgoing } from '../../../lambdas/delivery/message.ts';
import { makeReadRecipient } from '../../../lambdas/delivery/store.ts';
import { outgoingDrain } from '../../../lambdas/endpoint/health/drain-message.ts';
import { makeHealthStore } from '../../../lambdas/endpoint/health/store.ts';
import { drain } from '../../../lambdas/recovery/drain/drain.ts';
import type { DrainPorts } from '../../../lambdas/recovery/drain/drain.ts';
import { makeReadWaiting } from '../../../lambdas/recovery/waiting/store.ts';
import { readWork } from '../../../lambdas/recovery/work.ts';
import { makeSend } from '../../../lambdas/shared/queue.ts';
import { makeBatchedRead } from '../../../lambdas/shared/store.ts';
import type { Work } from './function.ts';
import { urlOf } from './sqs.ts';
import type { Surroundings } from './surroundings.ts';

/** Of a row that is read and sent: 0.2 ms of a whole CPU, of which 512 MB get 0.289. */
const rowCpuMs = 0.2 / 0.289;

/** An instance of `recover` that brings back what waits, wired as its handler wires it. */
export function makeRecover(around: Surroundings, sqs: SQSClient): Work {
  const { time, meter, tables, travel, onLog } = around;
  const client = tables.clientFor({ observe: meter.observer('recover'), travel });
  const send = makeSend(sqs, urlOf('retries'));
  const sendDrain = makeSend(sqs, urlOf('recovery'));
  let rows = 0;
  const ports: DrainPorts = {
    send: (message, delaySeconds) => {
      rows += 1;
      return send(outgoing(message, delaySeconds));
    },
    readRecipientLatest: makeReadRecipient(makeBatchedRead(client, tables.config)),
    health: makeHealthStore(client, tables.ledger, time.now),
    waiting: makeReadWaiting(client, tables.ledger, time.now),
    startDrain: (owner, turn, delaySeconds) => sendDrain(outgoingDrain(owner, turn, delaySeconds)),
    announce: travel,
    now: time.now,
    log: (message, fields) => {
      meter.logLine('recover', message, fields);
      onLog(message, fields);
    },
  };
  return async function work(records) {
    rows = 0;
    for (const { body } of records) {
      const asked = readWork(body);
      if (asked === undefined || !('endpointId' in asked)) throw new Error('there are no jobs here');
      await drain(ports, { id: asked.endpointId, organizationId: asked.organizationId }, asked.turn);
    }
    await time.sleep(rows * rowCpuMs);
    return { batchItemFailures: [] };
  };
}
