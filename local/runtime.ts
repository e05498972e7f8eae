import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalAws } from './aws/aws.ts';
import type { LocalAws, LocalAwsOptions } from './aws/aws.ts';
import { makeLoopbackIdentity } from './demo/authority.ts';
import type { OnLog } from './function.ts';
import { startGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { createIdentity } from './identity.ts';
import { startMappings, stopSources } from './mappings.ts';
import { Permissions } from './permissions/permissions.ts';
import type { PermissionsOptions } from './permissions/permissions.ts';
import { Alarms } from './resources/alarms.ts';
import { createAll } from './resources/create.ts';
import { Functions } from './resources/functions.ts';
import { HttpApi } from './resources/http-api.ts';
import { messagingMakers } from './resources/messaging.ts';
import type { ScheduledRule } from './resources/messaging.ts';
import { storageMakers } from './resources/storage.ts';
import { UserPools } from './resources/user-pools.ts';
import { runSchedules, startSchedules } from './schedules.ts';
import { createSignIn } from './sign-in.ts';
import type { SignIn } from './sign-in.ts';
import { readSynthesis, synthesize } from './synthesis.ts';
import type { Synthesis } from './synthesis.ts';

export interface RuntimeOptions {
  /** Port of the API; the local AWS takes the next one. 0 for any free ones. */
  readonly port: number;
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
  /** Batches that a mapping works on at a time, 32 by default; never more than the template allows. 0: nobody takes any. */
  readonly concurrencyMax?: number;
  /** Time and chance of the stand-ins. The functions run on real time. */
  readonly setting?: Pick<NonNullable<LocalAwsOptions['setting']>, 'clock' | 'random'>;
  readonly queueFaults?: LocalAwsOptions['queueFaults'];
  readonly busFaults?: LocalAwsOptions['busFaults'];
  /** Where permissions are stricter, or laxer, than usual. */
  readonly permissions?: PermissionsOptions;
  /** Runs before every call of AWS; what it throws is the answer. */
  readonly beforeCall?: LocalAwsOptions['beforeCall'];
  /** Runs after a call of AWS was carried out, before its answer; what it throws is the answer. */
  readonly afterCall?: LocalAwsOptions['afterCall'];
}

export interface Runtime {
  /** URL of the API, without a slash at its end. */
  readonly api: string;
  /** The stand-ins: their URL, their engines, and `environment` for SDK clients. */
  readonly aws: LocalAws;
  /** Who may do what; `book.spent` says how often that was asked. */
  readonly permissions: Permissions;
  readonly alarms: Pick<Alarms, 'names' | 'ring'>;
  /** What the stack puts out under a name, such as `BusName` or `DeadLetterQueueUrl`; throws on an unknown one. */
  readonly output: (name: string) => string;
  readonly issueToken: SignIn['issueToken'];
  /** Programs that may ask `POST /oauth2/token` for a token. */
  readonly programs: SignIn['programs'];
  /** Calls every function that a rule calls in time, now: a day is long for a test. Or one, by the end of its path: `Wake`. */
  readonly runSchedules: (id?: string) => Promise<void>;
  /** Whether no function works on a queue's messages at this moment. */
  readonly isIdle: () => boolean;
  /** Ends everything; work that takes longer than a moment is left to its queue. */
  readonly stop: () => Promise<void>;
}

/**
 * The whole stack in this process: what stands in the template, on loopback. Used by `npm start`, by the
 * demo, and by tests.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { port, dataFolder } = options;
  if (dataFolder !== undefined) await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const late: { permissions?: Permissions } = {};
  const aws = await startLocalAws({
    ...options,
    permit: (call) => late.permissions?.permit(call),
    busHops: {
      ruleSends: (...hop) => late.permissions?.hops.ruleSends(...hop),
      archiveKeeps: (...hop) => late.permissions?.hops.archiveKeeps(...hop),
    },
    folder: dataFolder,
    port: port === 0 ? 0 : port + 1,
    setting: { ...options.setting, report: reportTo(options.onLog) },
  });
  const permissions = new Permissions(aws, options.permissions);
  late.permissions = permissions;
  const close = async () => {
    await aws.close();
    permissions.close();
  };
  const undo: (() => Promise<unknown>)[] = [close];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const { synthesis, remove } = await theStack(options);
    undo.unshift(remove);
    const resources = await createResources(synthesis, { aws, permissions }, options);
    const { functions, outputs, alarms } = resources;
    undo.push(() => functions.stop());
    permissions.begin();
    await Promise.all(functions.all().map((one) => one.warm()));
    const sources = startMappings(aws, functions.mappings(), options.concurrencyMax);
    undo.push(() => stopSources(sources));
    undo.push(startSchedules(resources, aws.setting.clock));
    const { gateway, signIn } = await openGateway(resources, aws, options);
    undo.push(() => gateway.stop());
    return {
      api: gateway.url,
      aws,
      permissions,
      alarms,
      output: (name) => outputNamed(name, outputs),
      issueToken: signIn.issueToken,
      programs: signIn.programs,
      runSchedules: (id) => runSchedules(resources, id),
      isIdle: () => sources.every((source) => source.isIdle()),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The stack that was handed in, or one synthesized for this runtime: beside its data, or in a folder to be removed. */
async function theStack({ templateFolder, dataFolder }: RuntimeOptions) {
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

interface Resources {
  readonly functions: Functions;
  readonly http: HttpApi;
  readonly pools: UserPools;
  readonly alarms: Alarms;
  readonly hops: Permissions['hops'];
  readonly schedules: readonly ScheduledRule[];
  readonly outputs: Readonly<Record<string, string>>;
}

async function createResources(
  { template, assetFolders }: Synthesis,
  { aws, permissions }: { aws: LocalAws; permissions: Permissions },
  options: RuntimeOptions,
): Promise<Resources> {
  const { hops } = permissions;
  const { place } = permissions.book;
  const dynamodb = new DynamoDBClient({
    endpoint: aws.server.endpoint,
    region: place.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const functions = new Functions({
    place,
    assetFolders,
    awsEnvironment: { ...aws.environment, AWS_ENDPOINT_URL: aws.server.endpoint },
    ...(await trustFor(template, options)),
    namesAreLocal: options.namesAreLocal ?? false,
    onLog: options.onLog ?? (() => undefined),
    hops,
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
    return {
      functions,
      http,
      pools,
      alarms,
      hops,
      schedules,
      outputs: await createAll(template, makers, place),
    };
  } finally {
    dynamodb.destroy();
  }
}

/** Whom functions trust; and the certificate of those that have URLs, if there are any. */
async function trustFor({ Resources: all }: Synthesis['template'], { extraCas = [] }: RuntimeOptions) {
  const hasUrls = Object.values(all).some(({ Type }) => Type === 'AWS::Lambda::Url');
  if (!hasUrls) return { extraCas };
  const urlIdentity = await makeLoopbackIdentity();
  return { urlIdentity, extraCas: [...extraCas, urlIdentity.authority] };
}

function outputNamed(name: string, outputs: Readonly<Record<string, string>>): string {
  const value = outputs[name];
  if (value === undefined) throw new Error(`The stack has no output ${name}`);
  return value;
}

async function openGateway(
  { http, functions, pools }: Resources,
  aws: LocalAws,
  { port, dataFolder }: RuntimeOptions,
): Promise<{ gateway: Gateway; signIn: SignIn }> {
  const nowMs = () => aws.setting.clock.now();
  const identity = await createIdentity({
    issuer: http.tokens().issuer,
    nowMs,
    ...(dataFolder === undefined ? {} : { dataFolder }),
  });
  const signIn = createSignIn({
    pool: pools.pool(),
    identity,
    audiences: http.tokens().audiences,
    variable: (name) => functions.variable(name),
  });
  const routes = [...http.routes(), ...signIn.routes];
  return { signIn, gateway: await startGateway({ routes, identity, port, nowMs }) };
}

/** In the form of the functions' own lines, so that one file and one reader serve both. */
function reportTo(onLog: OnLog | undefined) {
  return function report(problem: string): void {
    const timestamp = new Date().toISOString();
    onLog?.('aws', JSON.stringify({ level: 'WARN', message: 'aws.reported', timestamp, problem }));
  };
}
