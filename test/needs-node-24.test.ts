import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const older = 'data:text/javascript,Object.defineProperty(process,"version",{value:"v20.20.2"})';

/** What a command says when the Node that runs it calls itself 20. */
async function onNode20(env: Record<string, string> = {}): Promise<string> {
  const args = ['--import', older, '--import', './needs-node-24.js', 'local/start.ts', '--port', 'none'];
  const ran = promisify(execFile)(process.execPath, args, { cwd: root, env: { ...process.env, ...env } });
  return ran.then(
    () => 'it ran',
    (error: unknown) => z.object({ code: z.literal(1), stderr: z.string() }).parse(error).stderr,
  );
}

describe('on an older Node', () => {
  it('a command says in one sentence what is wrong, and what to do', async () => {
    const said = await onNode20({ npm_config_ignore_scripts: '' });
    expect(said).toBe(
      'Tidings needs Node 24, and this is v20.20.2; run `npm ci`, which fetches it into this folder, or install Node 24.\n',
    );
  });

  it('it says so too when the company’s npm runs no install scripts', async () => {
    expect(await onNode20({ npm_config_ignore_scripts: 'true' })).toBe(
      "Tidings needs Node 24, and this is v20.20.2; npm's setting ignore-scripts=true has kept `npm ci` from fetching it: run `npm rebuild node --ignore-scripts=false`, or install Node 24.\n",
    );
  });

  it('every command that runs TypeScript looks first', async () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
    const { app } = z
      .object({ app: z.string() })
      .parse(JSON.parse(await readFile(join(root, 'cdk.json'), 'utf8')));
    const running = Object.values({ ...scripts, app }).filter((command) => /\.ts|vitest/.test(command));
    expect(running.length).toBeGreaterThan(20);
    expect(running.filter((command) => !command.startsWith('node --import ./needs-node-24.js '))).toEqual([]);
  });
});
