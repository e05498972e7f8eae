import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import middy from '@middy/core';
import { makePublish } from '../../event/bus.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { makeDocumentClient } from '../../shared/store.ts';
import { destroyRetiredKeys } from '../../signing/destroy-keys.ts';
import type { DestroyPorts } from '../../signing/destroy-keys.ts';
import { makeScheduleKeyDeletion } from '../../signing/keys.ts';
import { makeSigningKeyStore } from '../../signing/store.ts';
import { makeListExpiring, makeWarningStore } from '../store.ts';
import { warnOfExpiry } from '../warn-of-expiry.ts';
import type { WarnPorts } from '../warn-of-expiry.ts';
import { expiryEnv } from './env.ts';

const env = readEnvironment(expiryEnv, process.env);
const { log, requestLog } = makeLog();
const client = makeDocumentClient();

const ports: WarnPorts = {
  listExpiring: makeListExpiring(client, env.CONFIG_TABLE),
  warnings: makeWarningStore(client, env.LEDGER_TABLE, Date.now),
  announce: makePublish(new EventBridgeClient({}), env.BUS_NAME),
  now: Date.now,
  log,
};

const destruction: DestroyPorts = {
  keys: makeSigningKeyStore(client, env.CONFIG_TABLE),
  scheduleKeyDeletion: makeScheduleKeyDeletion(new KMSClient({})),
  now: Date.now,
  log,
};

export const handler = middy<unknown, undefined>()
  .use(requestLog())
  .handler(async () => {
    await warnOfExpiry(ports);
    await destroyRetiredKeys(destruction);
  });
