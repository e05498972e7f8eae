import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { until } from '../../local/demo/steps.ts';
import { run } from '../receivers/child.ts';
import { freePort } from '../receivers/exchange.ts';
import { templateShape } from './services.ts';

const root = resolve(import.meta.dirname, '../..');

/** Types that MiniStack does not know; what they say is held by test/lib instead. */
const unsupported = new Set([
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::Cognito::ManagedLoginBranding',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition',
]);

const cdkLimitMs = 180_000;
const startLimitMs = 30_000;

/** MiniStack on a port of its own, and the stock CDK that speaks to it. */
export interface Emulator {
  readonly endpoint: string;
  readonly bootstrap: () => Promise<void>;
  /** Synthesizes the stack with settings and deploys it; gives the outputs, and the types that were left out. */
  readonly deploy: (settings: Readonly<Record<string, string>>) => Promise<Deployed>;
  readonly stop: () => void;
}

export interface Deployed {
  readonly outputs: Readonly<Record<string, string>>;
  readonly leftOut: readonly string[];
  readonly template: Template;
}

type Template = z.output<typeof templateShape>;
const outputsFile = z.object({ Tidings: z.record(z.string(), z.string()) });

export interface EmulatorOptions {
  readonly command: string;
  readonly folder: string;
  readonly authority: string;
}

/**
 * @param command path of `ministack`'s Python
 * @param folder for assemblies and outputs
 * @param authority PEM of whom its functions trust, besides the public authorities
 */
export async function startEmulator({ command, folder, authority }: EmulatorOptions): Promise<Emulator> {
  const authorityFile = join(folder, 'authority.pem');
  await writeFile(authorityFile, authority);
  const port = String(await freePort());
  const endpoint = `http://127.0.0.1:${port}`;
  // Its functions run on the Node of the path: that of the project is Lambda's.
  const PATH = `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`;
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
  const own = {
    GATEWAY_PORT: port,
    BIND_HOST: '127.0.0.1',
    IOT_MTLS_ENABLED: '0',
    LAMBDA_ACCOUNT_CONCURRENCY: '8',
    // Its functions inherit these.
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'local-receivers.ts')}`,
    NODE_EXTRA_CA_CERTS: authorityFile,
  };
  const child = spawn(command, ['-m', 'ministack'], {
    env: { ...process.env, ...credentials, ...own, PATH },
    stdio: 'ignore',
    detached: true,
  });
  let isStopped = false;
  const stop = () => {
    // It may not end at a SIGTERM, and its functions are processes of their own.
    if (child.pid !== undefined && !isStopped) process.kill(-child.pid, 'SIGKILL');
    isStopped = true;
  };
  process.on('exit', stop);
  await until('MiniStack', () => isHealthy(endpoint), startLimitMs);
  const env = {
    ...credentials,
    PATH,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_VERSION_CHECK: '1',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  };
  const assembly = join(folder, 'assembly');
  const cdk = (...args: readonly string[]) => run({ command: 'cdk', args, cwd: root, env }, cdkLimitMs);
  return {
    endpoint,
    stop,
    bootstrap: async () => {
      await cdk('bootstrap', '--output', assembly);
    },
    deploy: async (settings) => {
      const context = Object.entries(settings).flatMap(([name, value]) => ['--context', `${name}=${value}`]);
      await cdk('synth', '--quiet', '--no-notices', '--output', assembly, ...context);
      const { leftOut, template } = await strip(join(assembly, 'Tidings.template.json'));
      const file = join(folder, 'outputs.json');
      // Its change sets cannot be made twice.
      const how = [
        '--require-approval',
        'never',
        '--no-notices',
        '--method',
        'direct',
        '--outputs-file',
        file,
      ];
      await cdk('deploy', '--app', assembly, ...how);
      return {
        outputs: outputsFile.parse(JSON.parse(await readFile(file, 'utf8'))).Tidings,
        leftOut,
        template,
      };
    },
  };
}

async function strip(file: string): Promise<Pick<Deployed, 'leftOut' | 'template'>> {
  const parsed = templateShape.parse(JSON.parse(await readFile(file, 'utf8')));
  const all = Object.entries(parsed.Resources);
  const kept = all.filter(([, { Type }]) => !unsupported.has(Type));
  await writeFile(file, JSON.stringify({ ...parsed, Resources: Object.fromEntries(kept) }));
  const leftOut = [...new Set(all.map(([, { Type }]) => Type))].filter((type) => unsupported.has(type));
  return { leftOut, template: parsed };
}

async function isHealthy(endpoint: string): Promise<true | undefined> {
  const answer = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
  return answer?.ok === true ? true : undefined;
}
