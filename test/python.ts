import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { run } from './receivers/child.ts';

/** Ignored by git; nothing is installed anywhere else. */
export function cacheOf(name: string): string {
  return resolve(import.meta.dirname, '../.cache', name);
}

/** A tool in Python cannot be run on this machine, which says nothing of what it would look at. */
export class NotRun extends Error {}

/** A tool in Python, and where its versions are pinned. */
export interface PythonTool {
  /** Of its folder below `.cache`. */
  readonly name: string;
  readonly command: string;
  /** Path of a `requirements.txt` with all its packages. */
  readonly requirements: string;
}

const toolLimitMs = 60_000;
const installLimitMs = 300_000;

/**
 * Installs a tool in a virtual environment of the project; does nothing when it is there.
 *
 * @returns path of its command
 * @throws NotRun when there is no Python, or the packages cannot be fetched.
 */
export async function preparePython({ name, command, requirements }: PythonTool): Promise<string> {
  const cache = cacheOf(name);
  const virtual = join(cache, 'venv');
  const step = (program: string, ...args: readonly string[]) => ({
    command: program,
    args,
    cwd: dirname(requirements),
  });
  const version = await run(step('python3', '--version'), toolLimitMs).catch((cause: unknown) => {
    throw new NotRun('python3 is missing: install Python 3.10 or newer', { cause });
  });
  const text = await readFile(requirements, 'utf8');
  const wanted = createHash('sha256')
    .update(JSON.stringify([version, virtual, text]))
    .digest('hex');
  const stampFile = join(cache, 'stamp');
  const path = join(virtual, 'bin', command);
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === wanted) return path;
  await rm(stampFile, { force: true });
  await mkdir(cache, { recursive: true });
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  try {
    await run(step('python3', '-m', 'venv', '--clear', virtual), installLimitMs);
    await run(step(join(virtual, 'bin', 'python'), ...install), installLimitMs);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new NotRun(`${command} cannot be installed from Python's registry: ${said}`, { cause });
  }
  await writeFile(stampFile, wanted);
  return path;
}
