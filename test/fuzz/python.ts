import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { run } from '../receivers/child.ts';

/** Ignored by git; nothing is installed anywhere else. */
export const cache = resolve(import.meta.dirname, '../../.cache/fuzz');
const virtual = join(cache, 'venv');
const requirements = join(import.meta.dirname, 'requirements.txt');

/** The fuzzer cannot be run on this machine, which says nothing of the API. */
export class NotRun extends Error {}

const toolLimitMs = 60_000;
const installLimitMs = 300_000;

/**
 * Installs Schemathesis in a virtual environment of the project, in the versions of `requirements.txt`; does nothing
 * when it is there.
 *
 * @returns path of its command
 * @throws NotRun when there is no Python, or the packages cannot be fetched.
 */
export async function prepareSchemathesis(): Promise<string> {
  const step = (command: string, ...args: readonly string[]) => ({ command, args, cwd: import.meta.dirname });
  const version = await run(step('python3', '--version'), toolLimitMs).catch((cause: unknown) => {
    throw new NotRun('python3 is missing: install Python 3.10 or newer', { cause });
  });
  const text = await readFile(requirements, 'utf8');
  const wanted = createHash('sha256')
    .update(JSON.stringify([version, virtual, text]))
    .digest('hex');
  const stampFile = join(cache, 'stamp');
  const command = join(virtual, 'bin', 'schemathesis');
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === wanted) return command;
  await rm(stampFile, { force: true });
  await mkdir(cache, { recursive: true });
  const python = join(virtual, 'bin', 'python');
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  try {
    await run(step('python3', '-m', 'venv', '--clear', virtual), installLimitMs);
    await run(step(python, ...install), installLimitMs);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new NotRun(`Schemathesis cannot be installed from Python's registry: ${said}`, { cause });
  }
  await writeFile(stampFile, wanted);
  return command;
}
