import middy from '@middy/core';
import { makePublish } from '../../event/bus.ts';
import { makeOrganizationStore } from '../../organization/store.ts';
import {
  makeDocumentClient,
  makeEventBridgeClient,
  makeKmsClient,
  makeTaggingClient,
} from '../../shared/clients.ts';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { destroyRetiredKeys } from '../../signing/destroy-keys.ts';
import type { DestroyPorts } from '../../signing/destroy-keys.ts';
import { destroyOrphans } from '../../signing/destroy-orphans.ts';
import type { OrphanPorts } from '../../signing/destroy-orphans.ts';
import { makeListTagged, makeLookUp, makeScheduleKeyDeletion } from '../../signing/keys.ts';
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
  announce: makePublish(makeEventBridgeClient(), env.BUS_NAME),
  now: Date.now,
  log,
};

const kms = makeKmsClient();
const keys = makeSigningKeyStore(client, env.CONFIG_TABLE);
const destruction: DestroyPorts = {
  keys,
  scheduleKeyDeletion: makeScheduleKeyDeletion(kms),
  now: Date.now,
  log,
};

const orphans: OrphanPorts = {
  listTagged: makeListTagged(makeTaggingClient(), env.STAGE),
  lookUp: makeLookUp(kms),
  listNamed: keys.list,
  getOrganization: makeOrganizationStore(client, env.CONFIG_TABLE).get,
  scheduleKeyDeletion: destruction.scheduleKeyDeletion,
  now: Date.now,
  log,
};

export const handler = middy<unknown, undefined>()
  .use(requestLog())
  .handler(async () => {
    await warnOfExpiry(ports);
    await destroyRetiredKeys(destruction);
    await destroyOrphans(orphans);
  });
