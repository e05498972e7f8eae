import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { parseTemplate } from './template.ts';
import type { Template } from './template.ts';

/** What stands to be created: the very files that `cdk deploy` would send. */
export interface Synthesis {
  readonly template: Template;
  /** Folder of each asset, by the S3 key under which the template names it. */
  readonly assetFolders: ReadonlyMap<string, string>;
}

/**
 * Synthesizes the stack into a folder: offline, without an account or credentials.
 *
 * @param settings beside those of cdk.json, for a test
 * @throws Error with what CDK printed, when the stack does not synthesize.
 */
export async function synthesize(
  outFolder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Synthesis> {
  const app = join(import.meta.dirname, 'synthesis-app.ts');
  try {
    await promisify(execFile)(process.execPath, [app, outFolder, JSON.stringify(settings)], {
      cwd: join(import.meta.dirname, '..'),
      env: { ...process.env, CDK_DISABLE_VERSION_CHECK: '1', CDK_DISABLE_CLI_TELEMETRY: 'true' },
      maxBuffer: 16 * 1024 * 1024,
    });
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : String(cause);
    throw new Error(`The stack does not synthesize.\n${said}`, { cause });
  }
  return readSynthesis(outFolder);
}

const assetManifest = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string(), packaging: z.enum(['zip', 'file']) }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
    }),
  ),
});

/** Reads what `synthesize` wrote earlier, so that one synthesis can serve many runtimes. */
export async function readSynthesis(folder: string): Promise<Synthesis> {
  const template = parseTemplate(await readJson(join(folder, 'Tidings.template.json')));
  const manifest = assetManifest.parse(await readJson(join(folder, 'Tidings.assets.json')));
  const assetFolders = new Map<string, string>();
  for (const { source, destinations } of Object.values(manifest.files)) {
    // Packaged as `file` is the template itself; a function's code is a folder that is zipped on the way.
    if (source.packaging !== 'zip') continue;
    for (const { objectKey } of Object.values(destinations)) {
      assetFolders.set(objectKey, join(folder, source.path));
    }
  }
  return { template, assetFolders };
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
