import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { inTime } from './in-time.ts';

/** Where a client's service is; by default where the function runs. */
export type Place = Pick<DynamoDBClientConfig, 'endpoint' | 'region' | 'credentials'>;

/** The client of both tables. */
export function makeDocumentClient(place: Place = {}): DynamoDBDocumentClient {
  const client = new DynamoDBClient({ ...tries, ...place });
  return endingInTime(
    DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } }),
  );
}

/** A receive may wait for a message for two seconds at most: longer, and it is taken for one that hangs. */
export function makeSqsClient(place: Place = {}): SQSClient {
  return endingInTime(new SQSClient({ ...tries, ...place }));
}

export function makeEventBridgeClient(place: Place = {}): EventBridgeClient {
  return endingInTime(new EventBridgeClient({ ...tries, ...place }));
}

export function makeKmsClient(place: Place = {}): KMSClient {
  return endingInTime(new KMSClient({ ...tries, ...place }));
}

export function makeSecretsManagerClient(place: Place = {}): SecretsManagerClient {
  return endingInTime(new SecretsManagerClient({ ...tries, ...place }));
}

export function makeTaggingClient(place: Place = {}): ResourceGroupsTaggingAPIClient {
  return endingInTime(new ResourceGroupsTaggingAPIClient({ ...tries, ...place }));
}

/** Three tries that hang, and the pauses between them, fit into the time of a call. */
const tries = {
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1_000,
    // Until the headers of the answer are there. Without the second line it only writes a warning.
    requestTimeout: 2_900,
    throwOnRequestTimeout: true,
    // A body that stops halfway: the request's own timeout is over when its headers are there.
    socketTimeout: 2_900,
  },
};

interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

interface Sends {
  readonly send: (command: never, options?: SendOptions) => Promise<unknown>;
}

/**
 * The same client, but each call of it ends within nine seconds, tries included: a body that drips keeps every timeout
 * of the SDK from ending, and pauses between tries may be as long as the service asks for.
 */
function endingInTime<Client extends Sends>(client: Client): Client {
  const send: Sends['send'] = client.send.bind(client);
  const afterOthers = makeTurns(socketsMax);
  return Object.assign(client, {
    send: (command: never, options: SendOptions = {}) =>
      inTime((signal) => {
        const abortSignal = eitherOf(signal, options.abortSignal);
        return afterOthers(abortSignal, () => send(command, { ...options, abortSignal }));
      }),
  });
}

/** So many connections has a client of the SDK. Its timeouts count the time that a request waits for one of them. */
const socketsMax = 50;

/** So much work at once; what comes later waits for its turn, and does not begin when its time is over by then. */
function makeTurns(atOnce: number) {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  return async function afterOthers<Result>(
    signal: AbortSignal,
    work: () => Promise<Result>,
  ): Promise<Result> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

function eitherOf(signal: AbortSignal, own: AbortSignal | undefined): AbortSignal {
  return own === undefined ? signal : AbortSignal.any([signal, own]);
}
