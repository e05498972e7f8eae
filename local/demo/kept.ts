import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const keptDemo = z.object({
  /** Port of the receiver: deliveries that wait across a restart name it in their endpoint's URL. */
  port: z.number(),
  /** Ids and secrets of the endpoints, by name: the API shows a secret only once. */
  endpoints: z.record(z.string(), z.object({ id: z.string(), secret: z.string() })),
});

/** What the demo remembers between starts with the same data folder. */
export type KeptDemo = z.output<typeof keptDemo>;

/** @returns a demo that remembers nothing, when there is no folder or nothing in it. */
export async function readKept(dataFolder: string | undefined): Promise<KeptDemo> {
  if (dataFolder === undefined) return { port: 0, endpoints: {} };
  try {
    return keptDemo.parse(JSON.parse(await readFile(pathIn(dataFolder), 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      return { port: 0, endpoints: {} };
    throw error;
  }
}

/** Whole or not at all, even when the process is killed meanwhile. */
export async function writeKept(dataFolder: string | undefined, kept: KeptDemo): Promise<void> {
  if (dataFolder === undefined) return;
  const path = pathIn(dataFolder);
  await writeFile(`${path}.new`, JSON.stringify(kept, null, 2), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

function pathIn(dataFolder: string): string {
  return join(dataFolder, 'demo.json');
}
