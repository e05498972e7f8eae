import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { synthesize } from '../../local/synthesis.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the synthesized stack, for `startRuntime({ templateFolder: inject('templateFolder') })`. */
    templateFolder: string;
  }
}

/** Synthesizes once for the whole run: it takes seconds, and every end-to-end file needs the same stack. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const templateFolder = await mkdtemp(join(tmpdir(), 'tidings-stack-'));
  await synthesize(templateFolder);
  project.provide('templateFolder', templateFolder);
  return async () => {
    await rm(templateFolder, { recursive: true, force: true });
  };
}
