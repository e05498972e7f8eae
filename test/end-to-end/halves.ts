import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { endpoint } from '../../lambdas/endpoint/endpoint.ts';
import type { Endpoint } from '../../lambdas/endpoint/endpoint.ts';
import { healthKey } from '../../lambdas/endpoint/health/store.ts';
import { organizationKey } from '../../lambdas/organization/store.ts';
import type { Runtime } from '../../local/runtime.ts';

/** What lies in the account, looked at past the API. */
export interface Account {
  readonly client: DynamoDBDocumentClient;
  /** What is there of an organization without its other half: nothing when all is well. */
  readonly halves: (organizationId: string) => Promise<string[]>;
  /** Its signing keys in KMS, and whether an item names them. */
  readonly keysOf: (organizationId: string) => Promise<{ isNamed: boolean; state: string }[]>;
  /** How many recoveries it has. */
  readonly jobsOf: (organizationId: string) => Promise<number>;
  readonly messagesIn: (name: 'events' | 'retries' | 'recovery') => number;
  /** Has an organization be registered at another time. */
  readonly register: (organizationId: string, createdAt: string) => Promise<void>;
}

export function openAccount(runtime: Runtime): Account {
  const client = clientOf(runtime);
  const [config, ledger] = [runtime.output('ConfigTable'), runtime.output('LedgerTable')];
  const itemsOf = (TableName: string, prefix: string) => async (organizationId: string) => {
    const ExpressionAttributeValues = { ':pk': organizationKey(organizationId).pk, ':prefix': prefix };
    const KeyConditionExpression = 'pk = :pk AND begins_with(sk, :prefix)';
    const input = { TableName, KeyConditionExpression, ExpressionAttributeValues, ConsistentRead: true };
    return (await client.send(new QueryCommand(input))).Items ?? [];
  };
  const endpointsOf = itemsOf(config, 'ENDPOINT#');
  const namedOf = itemsOf(config, 'KEY#');
  const recoveriesOf = itemsOf(ledger, 'JOB#');
  /** Of the endpoints that were there once, those of which health is kept though they are gone. */
  const seen = new Map<string, Set<string>>();
  const forsaken = async (organizationId: string, endpoints: readonly Endpoint[]) => {
    const ids = seen.get(organizationId) ?? new Set();
    seen.set(organizationId, new Set([...ids, ...endpoints.map(({ id }) => id)]));
    const gone = [...ids].filter((id) => !endpoints.some((one) => one.id === id));
    const looked = await Promise.all(
      gone.map((id) => client.send(new GetCommand({ TableName: ledger, Key: { ...healthKey(id) } }))),
    );
    const isKept = (item: Record<string, unknown> | undefined) =>
      item !== undefined && !('expiresAt' in item);
    return gone.filter((_, index) => isKept(looked[index]?.Item));
  };
  return {
    client,
    halves: async (organizationId) => {
      const endpoints = (await endpointsOf(organizationId)).map((item) => endpoint.parse(item));
      const lacking = endpoints.flatMap((one) => lackingVersions(runtime, one));
      const forgotten = await forsaken(organizationId, endpoints);
      return [...lacking, ...ownerless(runtime, organizationId, endpoints), ...forgotten];
    },
    keysOf: async (organizationId) => {
      const named = (await namedOf(organizationId)).map(({ keyId }) => z.string().parse(keyId));
      return runtime.aws.kms
        .keys()
        .filter(({ tags }) => tags.some(({ TagValue }) => TagValue === organizationId))
        .map(({ id, state }) => ({ isNamed: named.includes(id), state }));
    },
    jobsOf: async (organizationId) => (await recoveriesOf(organizationId)).length,
    messagesIn: (name) => {
      const queue = runtime.aws.sqs.queues().find(({ definition }) => definition.name.endsWith(`-${name}`));
      if (queue === undefined) throw new Error(`there is no queue ${name}`);
      const { visible, inFlight, delayed } = queue.counts();
      return visible + inFlight + delayed;
    },
    register: async (organizationId, createdAt) => {
      const { pk, sk } = organizationKey(organizationId);
      await client.send(
        new UpdateCommand({
          ...{ TableName: config, Key: { pk, sk }, UpdateExpression: 'SET createdAt = :at' },
          ExpressionAttributeValues: { ':at': createdAt },
        }),
      );
    },
  };
}

/** Versions that an endpoint names and that its secrets do not have under a label. */
function lackingVersions({ aws }: Runtime, { id, ...named }: Endpoint): string[] {
  const own = aws.secrets.all().filter(({ name }) => name.split('/').includes(id));
  const labelled = own.flatMap(({ versions }) => versions).filter(({ stages }) => stages.length > 0);
  const { secretVersions, headers, clientCertificate } = named;
  const wanted = [
    ...secretVersions.map((version) => version.id),
    ...headers.flatMap((header) => ('versionId' in header ? [header.versionId] : [])),
    ...(clientCertificate === undefined ? [] : [clientCertificate.versionId]),
  ];
  return wanted.filter((version) => !labelled.some((one) => one.id === version));
}

/** Secrets whose endpoint there is not, and certificates that their endpoint does not name. */
function ownerless({ aws }: Runtime, organizationId: string, endpoints: readonly Endpoint[]): string[] {
  const isOwned = (name: string) => {
    const owner = endpoints.find(({ id }) => name.split('/').includes(id));
    return owner !== undefined && (!name.endsWith('/client-certificate') || 'clientCertificate' in owner);
  };
  const names = aws.secrets.all().map(({ name }) => name);
  return names.filter((name) => name.split('/').includes(organizationId) && !isOwned(name));
}

function clientOf({ aws }: Runtime): DynamoDBDocumentClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const { region } = aws.setting;
  const endpoint = aws.server.endpoint;
  return DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region, credentials }));
}
