import { mkdir } from 'node:fs/promises';
import { startLocalAws } from './aws/aws.ts';
import type { LocalAws, LocalAwsOptions } from './aws/aws.ts';
import type { OnLog } from './function.ts';
import { startGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { createIdentity } from './identity.ts';
import { startMappings, stopSources } from './mappings.ts';
import { Permissions } from './permissions/permissions.ts';
import type { PermissionsOptions } from './permissions/permissions.ts';
import type { Alarms } from './resources/alarms.ts';
import { runSchedules, startSchedules } from './schedules.ts';
import { createSignIn } from './sign-in.ts';
import type { SignIn } from './sign-in.ts';
import { createResources, theStack } from './stack.ts';
import type { Resources, StackOptions } from './stack.ts';

export interface RuntimeOptions extends StackOptions {
  /** Port of the API; the local AWS takes the next one. 0 for any free ones. */
  readonly port: number;
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
  const { dataFolder } = options;
  if (dataFolder !== undefined) await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const { aws, permissions, close } = await startJudged(options);
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

/** The stand-ins, which serve what is permitted and nothing else. */
async function startJudged(options: RuntimeOptions) {
  const { port, dataFolder } = options;
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
  return { aws, permissions, close };
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
    nowMs,
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
