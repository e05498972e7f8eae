import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { makeDocumentClient } from '../../lambdas/shared/clients.ts';
import type { Tables } from '../../lambdas/recovery/reconcile/store.ts';
import { WrongFlags } from './flags.ts';

/** Where the books are. */
export interface Place {
  readonly client: DynamoDBDocumentClient;
  readonly tables: Tables;
}

/** What is needed of the file in which `npm start` says where everything is (local/ready.ts). */
const running = z.object({
  aws: z.url(),
  region: z.string(),
  configTable: z.string(),
  ledgerTable: z.string(),
});

/**
 * The named tables in the account of the AWS credentials of this shell, or those of the running local stack.
 *
 * @throws WrongFlags when no tables are named and nothing runs here.
 */
export async function findPlace(tables: Tables | undefined, localFile: string): Promise<Place> {
  if (tables !== undefined) return { client: makeDocumentClient(), tables };
  const { aws, region, configTable, ledgerTable } = await readLocal(localFile);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return {
    client: makeDocumentClient({ endpoint: aws, region, credentials }),
    tables: { config: configTable, ledger: ledgerTable },
  };
}

async function readLocal(file: string): Promise<z.output<typeof running>> {
  try {
    return running.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    throw new WrongFlags('Name the tables by --config and --ledger, or run npm start in this folder', {
      cause,
    });
  }
}
