import { cp, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { preparePython } from '../python.ts';
import { run } from '../receivers/child.ts';
import { documentation, environmentOf, limitMs } from './ground.ts';
import type { Ground } from './ground.ts';

/**
 * Generates a client in Python, has the program that uses it checked by mypy, and runs the program.
 *
 * @returns what the program printed
 * @throws NotRun without Python; CommandFailed, also when the generator warns of anything.
 */
export async function usePython(ground: Ground): Promise<string> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const generator = await preparePython({ name: 'clients', command: 'openapi-python-client', requirements });
  const programs = dirname(generator);
  const folder = join(ground.folder, 'python');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(join(documentation, 'python'), folder, { recursive: true });
  // The generator formats what it writes by a program beside itself.
  const env = { ...environmentOf(ground), PATH: `${programs}:${process.env['PATH'] ?? ''}` };
  const step = (command: string, ...args: readonly string[]) =>
    run({ command: join(programs, command), args, cwd: folder, env }, limitMs);
  const input = ['--path', ground.description, '--config', 'generate.yaml', '--fail-on-warning'];
  await step('openapi-python-client', 'generate', ...input, '--meta', 'none', '--output-path', 'tidings');
  // What is wrong by the strictest rules in the generator's own files is not ours to mend.
  await step('mypy', '--strict', '--follow-imports', 'silent', 'use_api.py');
  return step('python', 'use_api.py');
}
