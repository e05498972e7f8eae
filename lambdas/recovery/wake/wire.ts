import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { z } from 'zod';
import { outgoing } from '../../delivery/message.ts';
import { outgoingDrain } from '../../endpoint/health/drain-message.ts';
import type { Log } from '../../shared/log.ts';
import { makeSend } from '../../shared/queue.ts';
import type { Now } from '../../shared/time.ts';
import { makeReadWaiting } from '../waiting/store.ts';
import type { wakeEnv } from './env.ts';
import { makeRoundsStore } from './store.ts';
import type { WakePorts } from './wake.ts';

/** What the wake function reaches outside of itself. */
export interface WakeReach {
  readonly client: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  readonly now: Now;
  readonly log: Log;
}

/** The ports of the wake function, but for the time that is left to it. */
export function wireWake(
  env: z.output<typeof wakeEnv>,
  { client, sqs, now, log }: WakeReach,
): Omit<WakePorts, 'remainingMs'> {
  const send = makeSend(sqs, env.RETRIES_QUEUE_URL);
  const sendDrain = makeSend(sqs, env.RECOVERY_QUEUE_URL);
  return {
    rounds: makeRoundsStore(client, env.LEDGER_TABLE),
    waiting: makeReadWaiting(client, env.LEDGER_TABLE, now),
    send: (message, delaySeconds) => send(outgoing(message, delaySeconds)),
    startDrain: (owner, delaySeconds) => sendDrain(outgoingDrain(owner, undefined, delaySeconds)),
    ...{ now, log },
  };
}
