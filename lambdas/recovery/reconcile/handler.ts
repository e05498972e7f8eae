import middy from '@middy/core';
import { makePublish } from '../../event/bus.ts';
import { makeDocumentClient, makeEventBridgeClient } from '../../shared/clients.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { reconcileEnv } from './env.ts';
import { makeReconcileReads } from './store.ts';
import { watch } from './watch.ts';

const env = readEnvironment(reconcileEnv, process.env);
const { log, requestLog } = makeLog();
const tables = { config: env.CONFIG_TABLE, ledger: env.LEDGER_TABLE };
const reads = makeReconcileReads(makeDocumentClient(), tables, Date.now);
const announce = makePublish(makeEventBridgeClient(), env.BUS_NAME);

/** Longer than the slowest page takes, and to say what was found. */
const endMs = 30_000;

export const handler = middy<unknown, undefined>()
  .use(requestLog())
  .handler(async (_event, context) => {
    const hasTime = () => context.getRemainingTimeInMillis() > endMs;
    await watch({ ...reads, clock: { now: Date.now, hasTime }, announce, log });
  });
