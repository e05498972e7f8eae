import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeLoopbackIdentity } from '../../local/demo/authority.ts';
import { killAll } from './child.ts';
import { languages, NotRun, prepare } from './languages.ts';
import { samples } from './samples.ts';
import type { Sample } from './samples.ts';
import { exitCodeOf, explanations, tableOf, tallyOf } from './table.ts';
import type { Row } from './table.ts';
import { startTidings } from './tidings.ts';
import { trySample } from './try-sample.ts';
import type { Ground } from './try-sample.ts';

/** `npm run test:receivers`: every sample of `docs/receivers/` as a real HTTPS server, with webhooks from Tidings. */

const usage = `Usage: npm run test:receivers -- [--only NAME,NAME] [--require-all]

  --only         samples or languages: ${samples.map(({ name }) => name).join(', ')}
  --require-all  a language that cannot be run here is a failure, too`;

/** Above the limits of all steps together on a slow machine with an empty cache, where all goes well. */
const limitMs = 25 * 60_000;
const schemes = ['hmac', 'jwt'] as const;

/** What was asked for cannot be done. */
class WrongFlags extends Error {}

const say = (line: string) => process.stdout.write(`${line}\n`);

process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
setTimeout(() => {
  say(`The receivers were not done in ${limitMs / 60_000} minutes.`);
  process.exit(1);
}, limitMs).unref();

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(error instanceof WrongFlags ? `${error.message}\n\n${usage}` : String(error));
  process.exitCode = error instanceof WrongFlags ? 2 : 1;
}

async function main(args: readonly string[]): Promise<number> {
  const { chosen, requireAll } = parse(args);
  const rows: Row[] = [];
  await onGround(async (ground) => {
    for (const language of languages) {
      const own = chosen.filter((sample) => sample.language === language.name);
      if (own.length === 0) continue;
      say(`${language.name}: installing`);
      const fault = await prepare(language).catch((error: unknown) => error);
      for (const row of await tryAll(ground, own, fault)) rows.push(row);
    }
  });
  const tally = tallyOf(rows);
  say(['', tableOf(rows), '', ...explanations(rows)].join('\n'));
  say(`${tally.passed} rows passed, ${tally.failed} failed, ${tally.notRun} not run`);
  return exitCodeOf(tally, requireAll);
}

function parse(args: readonly string[]): { chosen: readonly Sample[]; requireAll: boolean } {
  const options = { only: { type: 'string' }, 'require-all': { type: 'boolean', default: false } } as const;
  const { values } = read(() => parseArgs({ args: [...args], options }));
  const wanted = values.only?.split(',') ?? languages.map(({ name }) => name);
  const unknown = wanted.find((name) => !samples.some((sample) => isNamed(sample, name)));
  if (unknown !== undefined) throw new WrongFlags(`--only: there is no sample ${unknown}`);
  const chosen = samples.filter((sample) => wanted.some((name) => isNamed(sample, name)));
  return { chosen, requireAll: values['require-all'] };
}

function read<T>(parsed: () => T): T {
  try {
    return parsed();
  } catch (cause) {
    throw new WrongFlags(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function isNamed(sample: Sample, name: string): boolean {
  return sample.name === name || sample.language === name;
}

/** Boots Tidings and lays out the samples' certificate, and takes both away again. */
async function onGround(use: (ground: Ground) => Promise<void>): Promise<void> {
  const { authority, certificate, key } = await makeLoopbackIdentity();
  const folder = await mkdtemp(join(tmpdir(), 'tidings-receivers-'));
  // At the exit, which an interrupted run has, too.
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const [certificateFile, keyFile] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  await writeFile(certificateFile, certificate);
  await writeFile(keyFile, key, { mode: 0o600 });
  const tidings = await startTidings(authority);
  try {
    await use({ tidings, authority, certificateFile, keyFile });
  } finally {
    await tidings.stop();
  }
}

/** @param fault why the language of these samples is not ready; undefined when it is */
async function tryAll(ground: Ground, chosen: readonly Sample[], fault: unknown): Promise<Row[]> {
  const rows: Row[] = [];
  for (const sample of chosen) {
    for (const scheme of schemes) {
      const row =
        fault === undefined ? await trySample(ground, sample, scheme) : unready(sample, scheme, fault);
      rows.push(row);
      say(`${sample.name} ${scheme}: ${row.outcome.kind}`);
    }
  }
  return rows;
}

function unready({ title }: Sample, scheme: Row['scheme'], fault: unknown): Row {
  const reason = fault instanceof Error ? fault.message : String(fault);
  return { title, scheme, outcome: { kind: fault instanceof NotRun ? 'not run' : 'broken', reason } };
}
