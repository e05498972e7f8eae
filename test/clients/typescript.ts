import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { run } from '../receivers/child.ts';
import { documentation, environmentOf, limitMs, root, toolOf } from './ground.ts';
import type { Ground } from './ground.ts';

/**
 * Generates a client in TypeScript, has it checked together with the program that uses it, by the strictest flags, and
 * runs the program.
 *
 * @returns what the program printed
 * @throws CommandFailed, Error when the generator warns of anything.
 */
export async function useTypeScript(ground: Ground): Promise<string> {
  const folder = join(ground.folder, 'typescript');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(join(documentation, 'typescript'), folder, { recursive: true });
  const step = (command: string, ...args: readonly string[]) =>
    run({ command, args, cwd: folder, env: environmentOf(ground) }, limitMs);
  const said = await step(toolOf('openapi-typescript'), ground.description, '--output', 'api.ts');
  if (/warn|⚠/i.test(said)) throw new Error(`openapi-typescript: ${said}`);
  // An index signature is how an open object is read.
  const compilerOptions = { noPropertyAccessFromIndexSignature: false };
  const configuration = {
    extends: relative(folder, join(root, 'tsconfig.json')),
    compilerOptions,
    include: ['*.ts'],
    exclude: [],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
  await step(toolOf('tsc'), '--project', folder);
  return step(process.execPath, 'use-api.ts');
}
