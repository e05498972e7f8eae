import type { SQSClient } from '@aws-sdk/client-sqs';
import { outgoing } from '../../../lambdas/delivery/message.ts';
import { outgoingDrain } from '../../../lambdas/endpoint/health/drain-message.ts';
import { makeReadWaiting } from '../../../lambdas/recovery/waiting/store.ts';
import { makeRoundsStore } from '../../../lambdas/recovery/wake/store.ts';
import { wake } from '../../../lambdas/recovery/wake/wake.ts';
import type { WakePorts } from '../../../lambdas/recovery/wake/wake.ts';
import { makeSend } from '../../../lambdas/shared/queue.ts';
import { urlOf } from './sqs.ts';
import type { Surroundings } from './surroundings.ts';

const minuteMs = 60_000;

/** Has `wake` run every minute from now on, wired as its handler wires it. The answer ends it. */
export function startWaking(around: Surroundings, sqs: SQSClient): () => void {
  const { time, meter } = around;
  const ports = portsOf(around, sqs);
  let isOver = false;
  const run = async (): Promise<void> => {
    const startedMs = time.now();
    await wake({ ...ports, remainingMs: () => startedMs + minuteMs - time.now() });
    meter.invocation('wake', time.now() - startedMs);
  };
  const next = (): void => {
    if (isOver) return;
    time.at(time.now() + minuteMs, next);
    void run();
  };
  next();
  return () => {
    isOver = true;
  };
}

function portsOf(
  { time, meter, tables, travel, onLog }: Surroundings,
  sqs: SQSClient,
): Omit<WakePorts, 'remainingMs'> {
  const client = tables.clientFor({ observe: meter.observer('wake'), travel });
  const send = makeSend(sqs, urlOf('retries'));
  const sendDrain = makeSend(sqs, urlOf('recovery'));
  return {
    rounds: makeRoundsStore(client, tables.ledger),
    waiting: makeReadWaiting(client, tables.ledger, time.now),
    send: (message, delaySeconds) => send(outgoing(message, delaySeconds)),
    startDrain: (owner, delaySeconds) => sendDrain(outgoingDrain(owner, undefined, delaySeconds)),
    now: time.now,
    log: (message, fields) => {
      meter.logLine('wake', message, fields);
      onLog(message, fields);
    },
  };
}
