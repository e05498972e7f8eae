import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CommandFailed, run } from './child.ts';
import type { Command } from './child.ts';

type Step = Omit<Command, 'cwd'>;

/** A language of `docs/receivers/`: what must be on the machine, and how its folder becomes something that runs. */
export interface Language {
  /** Also the folder's name. */
  readonly name: string;
  /** Each must answer; together they name the toolchain. */
  readonly tools: readonly Step[];
  /** Fetches the dependencies. Without them the language cannot be judged. */
  readonly install: readonly Step[];
  /** Compiles; here a failure is the sample's own. */
  readonly build: readonly Step[];
}

const sources = resolve(import.meta.dirname, '../../docs/receivers');
/** Ignored by git; nothing is installed anywhere else. */
const cache = resolve(import.meta.dirname, '../../.cache/receivers');

const inCache = (...path: readonly string[]) => join(cache, ...path);
/** Where a language's copy of its folder is, with its dependencies. */
export const workFolder = (language: string) => inCache(language, 'work');

const step = (command: string, ...args: readonly string[]): Step => ({ command, args });
const maven = (...args: readonly string[]) =>
  step('mvn', '--quiet', '--batch-mode', `-Dmaven.repo.local=${inCache('java', 'repository')}`, ...args);
const go = (...args: readonly string[]): Step => ({
  ...step('go', ...args),
  env: {
    GOMODCACHE: inCache('go', 'modules'),
    GOCACHE: inCache('go', 'build'),
    // go.sum decides, and the cache can be removed like any folder.
    GOFLAGS: '-mod=readonly -modcacherw',
    GOTOOLCHAIN: 'local',
  },
});

export const venvPython = inCache('python', 'venv', 'bin', 'python');

export const languages: readonly Language[] = [
  {
    name: 'node',
    tools: [step('npm', '--version')],
    install: [step('npm', 'ci', '--no-fund', '--no-audit')],
    build: [],
  },
  {
    name: 'python',
    tools: [step('python3', '--version')],
    install: [
      step('python3', '-m', 'venv', '--clear', inCache('python', 'venv')),
      step(venvPython, '-m', 'pip', 'install', '--quiet', '--requirement', 'requirements.txt'),
    ],
    build: [],
  },
  {
    name: 'go',
    tools: [step('go', 'version')],
    install: [go('mod', 'download')],
    build: [go('build', '-o', 'receiver', '.')],
  },
  {
    name: 'java',
    tools: [step('java', '-version'), step('javac', '-version'), step('mvn', '--version')],
    install: [maven('dependency:copy-dependencies')],
    build: [maven('compile')],
  },
];

/** The language's samples cannot be run on this machine: they are neither good nor bad. */
export class NotRun extends Error {}

const toolLimitMs = 60_000;
/** A first install fetches Maven's plugins or compiles Go's standard library. */
const stepLimitMs = 300_000;

/**
 * Makes a language's samples ready to be started, in the cache; does nothing when they are.
 *
 * @throws NotRun when a tool is missing or the dependencies cannot be installed; CommandFailed when the code
 * does not compile.
 */
export async function prepare({ name, tools, install, build }: Language): Promise<void> {
  const versions = await Promise.all(tools.map(findTool));
  const wanted = await fingerprint(join(sources, name), versions);
  const stampFile = inCache(name, 'stamp');
  const cwd = workFolder(name);
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === wanted) return;
  await rm(stampFile, { force: true });
  await rm(cwd, { recursive: true, force: true });
  await mkdir(cwd, { recursive: true });
  await cp(join(sources, name), cwd, { recursive: true, filter: (path) => !leftOut.has(basename(path)) });
  for (const one of install) await run({ ...one, cwd }, stepLimitMs).catch(notInstalled);
  for (const one of build) await run({ ...one, cwd }, stepLimitMs);
  await writeFile(stampFile, wanted);
}

async function findTool(tool: Step): Promise<string> {
  try {
    return await run({ ...tool, cwd: sources }, toolLimitMs);
  } catch (cause) {
    throw new NotRun(`${tool.command} is missing`, { cause });
  }
}

function notInstalled(cause: unknown): never {
  if (!(cause instanceof CommandFailed)) throw cause;
  throw new NotRun(`dependencies cannot be installed: ${cause.message}`, { cause });
}

/** What somebody may have left in the folder while trying a sample out. */
const leftOut = new Set(['node_modules', 'target', 'venv', '.venv', '__pycache__']);

/** Changes with every byte of the samples and with the tools. */
async function fingerprint(folder: string, versions: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([process.version, cache, ...versions]));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.toSorted()) {
    if (file.split('/').some((part) => leftOut.has(part))) continue;
    hash
      .update(file)
      .update('\0')
      .update(await readFile(file));
  }
  return hash.digest('hex');
}
