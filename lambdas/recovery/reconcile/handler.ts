import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import middy from '@middy/core';
import { makePublish } from '../../event/bus.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { makeDocumentClient } from '../../shared/store.ts';
import { reconcileEnv } from './env.ts';
import { makeReconcileReads } from './store.ts';
import { watch } from './watch.ts';

const env = readEnvironment(reconcileEnv, process.env);
const { log, requestLog } = makeLog();
const tables = { config: env.CONFIG_TABLE, ledger: env.LEDGER_TABLE };
const reads = makeReconcileReads(makeDocumentClient(), tables, Date.now);
const announce = makePublish(new EventBridgeClient({}), env.BUS_NAME);

/** Longer than the slowest page takes, and to say what was found. */
const endMs = 30_000;

export const handler = middy<unknown, undefined>()
  .use(requestLog())
  .handler(async (_event, context) => {
    const hasTime = () => context.getRemainingTimeInMillis() > endMs;
    await watch({ ...reads, clock: { now: Date.now, hasTime }, announce, log });
  });
