import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalAws } from './aws/aws.ts';
import { makeLoopbackIdentity } from './demo/authority.ts';
import type { OnLog } from './function.ts';
import type { Permissions } from './permissions/permissions.ts';
import { Alarms } from './resources/alarms.ts';
import { createAll } from './resources/create.ts';
import { Functions } from './resources/functions.ts';
import { HttpApi } from './resources/http-api.ts';
import { messagingMakers } from './resources/messaging.ts';
import type { ScheduledRule } from './resources/messaging.ts';
import { storageMakers } from './resources/storage.ts';
import { UserPools } from './resources/user-pools.ts';
import { readSynthesis, synthesize } from './synthesis.ts';
import type { Synthesis } from './synthesis.ts';

export interface StackOptions {
  /** Where everything is kept; without it, in memory. */
  readonly dataFolder?: string;
  /** Authorities, in PEM, that the functions trust besides the usual ones. */
  readonly extraCas?: readonly string[];
  /** Whether names of receivers lead nowhere, but those of this machine: for endpoints that nobody has chosen. */
  readonly namesAreLocal?: boolean;
  /** Takes what the functions print, and under the name `aws` what AWS would have kept to itself. */
  readonly onLog?: OnLog;
  /** A stack that was synthesized before, to save the seconds that it takes. */
  readonly templateFolder?: string;
}

/** The stack that was handed in, or one synthesized for this runtime: beside its data, or in a folder to be removed. */
export async function theStack({ templateFolder, dataFolder }: StackOptions) {
  const keep = () => Promise.resolve();
  if (templateFolder !== undefined) return { synthesis: await readSynthesis(templateFolder), remove: keep };
  if (dataFolder === undefined) {
    const folder = await mkdtemp(join(tmpdir(), 'tidings-stack-'));
    return {
      synthesis: await synthesize(folder),
      remove: () => rm(folder, { recursive: true, force: true }),
    };
  }
  const folder = join(dataFolder, 'stack');
  await rm(folder, { recursive: true, force: true });
  return { synthesis: await synthesize(folder), remove: keep };
}

/** What was made of the template. */
export interface Resources {
  readonly functions: Functions;
  readonly http: HttpApi;
  readonly pools: UserPools;
  readonly alarms: Alarms;
  readonly hops: Permissions['hops'];
  readonly schedules: readonly ScheduledRule[];
  readonly outputs: Readonly<Record<string, string>>;
}

/** Makes everything that stands in the template. */
export async function createResources(
  synthesis: Synthesis,
  { aws, permissions }: { aws: LocalAws; permissions: Permissions },
  options: StackOptions,
): Promise<Resources> {
  const { template } = synthesis;
  const { hops, book } = permissions;
  const { place } = book;
  const dynamodb = new DynamoDBClient({
    endpoint: aws.server.endpoint,
    region: place.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const functions = new Functions({
    ...{ place, hops, assetFolders: synthesis.assetFolders },
    awsEnvironment: { ...aws.environment, AWS_ENDPOINT_URL: aws.server.endpoint },
    ...(await trustFor(template, options)),
    namesAreLocal: options.namesAreLocal ?? false,
    onLog: options.onLog ?? (() => undefined),
  });
  const schedules: ScheduledRule[] = [];
  const calling = { place, hops, functionByArn: (arn: string) => functions.byArn(arn) };
  const [http, pools, alarms] = [new HttpApi(calling), new UserPools(calling), new Alarms(calling)];
  const makers = permissions.noting({
    ...messagingMakers(aws, (rule) => schedules.push(rule)),
    ...storageMakers({ dynamodb, kms: aws.kms, place }),
    ...functions.makers,
    ...http.makers,
    ...pools.makers,
    ...alarms.makers,
  });
  try {
    const outputs = await createAll(template, makers, place);
    return { functions, http, pools, alarms, hops, schedules, outputs };
  } finally {
    dynamodb.destroy();
  }
}

/** Whom functions trust; and the certificate of those that have URLs, if there are any. */
async function trustFor({ Resources: all }: Synthesis['template'], { extraCas = [] }: StackOptions) {
  const hasUrls = Object.values(all).some(({ Type }) => Type === 'AWS::Lambda::Url');
  if (!hasUrls) return { extraCas };
  const urlIdentity = await makeLoopbackIdentity();
  return { urlIdentity, extraCas: [...extraCas, urlIdentity.authority] };
}
