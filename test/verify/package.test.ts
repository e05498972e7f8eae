import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { body, event, hmacHeaders, nowMs, secret } from './a-webhook.ts';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
let folder = '';

/** The receiver's own Node, where the machine has an older one beside ours; the package promises Node 20. */
const nodes = [process.execPath, '/usr/local/bin/node', '/usr/bin/node'].filter((path) => existsSync(path));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidings-verify-'));
  // In a copy, so that the build leaves nothing in the sources.
  await cp(join(root, 'verify'), join(folder, 'verify'), {
    recursive: true,
    filter: (path) => !path.startsWith(join(root, 'verify', 'dist')),
  });
  await cp(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await run('npm', ['pack', '--pack-destination', folder], { cwd: join(folder, 'verify') });
  const packed = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  const installed = join(folder, 'receiver', 'node_modules', '@tidings', 'verify');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, packed), '-C', installed, '--strip-components', '1']);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the package', () => {
  it('holds what is built, its licence and its manual, and needs no other package', async () => {
    const installed = join(folder, 'receiver', 'node_modules', '@tidings', 'verify');
    expect((await readdir(installed)).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    const files = await readdir(join(installed, 'dist'));
    expect(files.filter((name) => !/\.(js|d\.ts)$/.test(name))).toEqual([]);
    const manifest: unknown = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: '@tidings/verify', license: 'Apache-2.0' });
    expect(manifest).not.toHaveProperty('dependencies');
  });

  it('imports nothing but Node and itself', async () => {
    const sources = (await readdir(join(root, 'verify'))).filter((name) => name.endsWith('.ts'));
    for (const name of sources) {
      const text = await readFile(join(root, 'verify', name), 'utf8');
      const imported = [...text.matchAll(/ from '([^']+)'/g)].map(([, from]) => from);
      expect(imported.filter((from) => !/^(node:crypto|\.\/[a-z-]+\.ts)$/.test(from ?? ''))).toEqual([]);
    }
  });

  it.each(nodes)('verifies a webhook with %s', async (node) => {
    const input = JSON.stringify({ body: body.toString(), headers: hmacHeaders(), secret, nowMs });
    const script = join(folder, 'receiver', 'receiver.mjs');
    await writeFile(
      script,
      `import { VerificationError, verify } from '@tidings/verify';
       const { body, headers, secret, nowMs } = ${input};
       const { event } = await verify({ body, headers }, { secret, now: () => nowMs });
       const refused = await verify({ body: body + ' ', headers }, { secret, now: () => nowMs }).catch((error) => error);
       const isRefused = refused instanceof VerificationError && refused.code === 'signature_mismatch';
       const jwks = { keys: [] };
       const unsigned = await verify({ body, headers }, { jwks, audience: 'ep_1' }).catch((error) => error.code);
       console.log(JSON.stringify({ event, isRefused, unsigned }));`,
    );
    const { stdout } = await run(node, [script]);
    const seen = z.looseObject({ event: z.unknown() }).parse(JSON.parse(stdout));
    expect(seen).toEqual({ event, isRefused: true, unsigned: 'missing_header' });
  });

  it('brings types that a receiver is checked with', async () => {
    await writeFile(
      join(folder, 'receiver', 'receiver.mts'),
      `import type { IncomingMessage } from 'node:http';
       import { fromApiGateway, verify } from '@tidings/verify';
       export async function receive(request: IncomingMessage, body: Buffer): Promise<string | undefined> {
         const { event, attempt } = await verify({ body, headers: request.headers }, { secret: 'whsec_' });
         if (attempt.scheme === 'jwt') return attempt.keyId;
         // @ts-expect-error: an event has no such member, so its type is known
         event.unknown;
         // @ts-expect-error: a token is for an audience
         await verify(fromApiGateway({ body: null }), { jwksUrl: 'https://keys.example' });
         return event.resource;
       }`,
    );
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--types', 'node', '--ignoreConfig'];
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const { stdout } = await run(tsc, [...options, join(folder, 'receiver', 'receiver.mts')]);
    expect(stdout).toBe('');
  });
});
