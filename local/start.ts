import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { openDemo, publishSamples, setUpEndpoints } from './demo/show.ts';
import type { Demo } from './demo/show.ts';
import { rowOf, tableHead } from './demo/table.ts';
import { parseFlags, usage, WrongFlags } from './flags.ts';
import type { Flags } from './flags.ts';
import { announce, prepare, withdraw } from './ready.ts';
import type { Ready } from './ready.ts';
import { startRuntime } from './runtime.ts';

const organizationId = 'org_demo';
/** In the folder where `npm start` was run: where others find the running stack, and its logs. */
const stateFolder = resolve('.tidings');

try {
  await start(parseFlags(process.argv.slice(2)));
} catch (error) {
  const isWrongFlags = error instanceof WrongFlags;
  console.error(explain(error));
  if (isWrongFlags) console.error(`\n${usage}`);
  process.exit(isWrongFlags ? 2 : 1);
}

/** Boots the stack and, unless asked not to, shows it at work. */
async function start(flags: Flags): Promise<void> {
  const cas = await Promise.all(flags.caFiles.map(readCa));
  const demo = flags.withDemo ? await openDemo(flags.dataFolder) : undefined;
  const receiver = demo?.receiver;
  const names = new Map<string, string>();
  const log = await openLog(flags.dataFolder ?? stateFolder);
  const runtime = await startRuntime({
    port: flags.port,
    ...(flags.dataFolder === undefined ? {} : { dataFolder: flags.dataFolder }),
    extraCas: [...cas, ...(receiver === undefined ? [] : [receiver.authority])],
    onLog: (functionName, line) => {
      log.file.write(`${functionName} ${line}\n`);
      const row = receiver && rowOf(line, (id) => names.get(id) ?? 'another');
      if (row !== undefined) console.log(row);
    },
  });
  const ready = await prepare(runtime, { organizationId, receiver: receiver?.url ?? null, log: log.path });
  const showing = new AbortController();
  for (const [id, name] of await setUp(demo, ready)) names.set(id, name);
  await announce(ready, stateFolder);
  if (demo !== undefined) void show(ready, showing.signal);
  stopOnSignal(async () => {
    showing.abort();
    await withdraw(ready, stateFolder);
    await runtime.stop();
    await receiver?.stop();
    log.file.end();
    await once(log.file, 'close');
  });
}

async function readCa(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new WrongFlags(`--ca: ${file} cannot be read`, { cause });
  });
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new WrongFlags(`--ca: ${file} holds no certificate in PEM`);
}

async function openLog(folder: string) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'functions.log');
  return { path, file: createWriteStream(path, { flags: 'a', mode: 0o600 }) };
}

async function setUp(demo: Demo | undefined, ready: Ready): Promise<ReadonlyMap<string, string>> {
  if (demo === undefined) return new Map();
  return setUpEndpoints(demo, { api: ready.api, token: ready.organizationToken }, organizationId);
}

async function show({ bus, aws, region }: Ready, signal: AbortSignal): Promise<void> {
  console.log(tableHead());
  const onProblem = (error: unknown) => {
    console.error(`A sample event could not be published: ${String(error)}`);
  };
  await publishSamples({ organizationId, busName: bus, aws: { endpoint: aws, region }, onProblem }, signal);
}

/** What went wrong, for the person who typed the command. */
function explain(error: unknown): string {
  if (codeOf(error) === 'EADDRINUSE') return `${String(error)}: choose another port with --port`;
  if (!(error instanceof Error)) return String(error);
  return codeOf(error.cause) === 'LEVEL_LOCKED'
    ? 'The data folder is in use by another process'
    : error.message;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** Stops once, in good order; a second Ctrl-C does not wait for it. */
function stopOnSignal(stop: () => Promise<void>): void {
  let isStopping = false;
  const onSignal = () => {
    if (isStopping) process.exit(130);
    isStopping = true;
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}
