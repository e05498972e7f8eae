import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const project = join(import.meta.dirname, '..', '..');

/** The shell's part of the README's walk-through, as it stands there. */
async function walkThrough(): Promise<string> {
  const readme = await readFile(join(project, 'README.md'), 'utf8');
  const [, section = ''] = readme.split('### By hand');
  const [part = ''] = section.split('\n| command |');
  return [...part.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block).join('\n');
}

/** Every call of curl is made as it is written, and its answer is also kept for the test. */
const listening = `
set -euo pipefail
curl() {
  local answer
  answer=$(command curl "$@" -w '\\n%{http_code}')
  printf '%s\\n' "\${answer//$'\\n'/ }" >> calls.log
  printf '%s\\n' "\${answer%$'\\n'*}"
}
`;

const call = z.string().transform((line) => {
  const at = line.lastIndexOf(' ');
  const body: unknown = JSON.parse(line.slice(0, at));
  return { status: Number(line.slice(at + 1)), body: z.looseObject({}).parse(body) };
});

let folder: string;
let product: ChildProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidings-walk-'));
  // `npm start` in a folder of its own, so that it does not write over the facts of another one that runs.
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  product = spawn(process.execPath, [join(project, 'local', 'start.ts'), '--port', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (product.stdout === null) throw new Error('the product says nothing');
  for await (const line of createInterface({ input: product.stdout })) if (line.startsWith('ready ')) break;
  product.stdout.resume();
});
afterAll(async () => {
  const ended = new Promise((resolve) => product.once('exit', resolve));
  product.kill('SIGTERM');
  await ended;
  await rm(folder, { recursive: true, force: true });
});

describe('the README’s walk-through', () => {
  it('runs as it is written, and shows what it says', async () => {
    const script = await walkThrough();
    await writeFile(join(folder, 'walk.sh'), listening + script);
    const { stdout } = await promisify(execFile)('bash', ['walk.sh'], { cwd: folder });
    const lines = (await readFile(join(folder, 'calls.log'), 'utf8')).trim().split('\n');
    const calls = lines.map((line) => call.parse(line));
    expect(calls).toHaveLength([...script.matchAll(/\bcurl -s/g)].length);
    expect(calls.map(({ status }) => status).filter((status) => status >= 300)).toEqual([]);
    const [endpoints, made, again, changed, preview, published, event, ...later] = calls.map(
      ({ body }) => body,
    );
    expect(endpoints).toMatchObject({ data: [{}, {}, {}] });
    expect(made).toMatchObject({ secret: expect.stringMatching(/^whsec_/) as unknown });
    expect(again).toEqual(made);
    expect(changed).toMatchObject({ id: made?.['id'], active: false, policy: { timeoutSeconds: 5 } });
    expect(JSON.stringify(preview)).toContain('endpoint_disabled');
    expect(event).toMatchObject({ id: published?.['id'], deliveries: [{}, {}, {}] });
    expect(JSON.stringify(event)).toContain('"delivered"');
    const [deadLetters, refused, recovery, rotated, audit, description] = later;
    expect(deadLetters).toMatchObject({
      data: expect.arrayContaining([expect.objectContaining({ status: 'dead' })]) as unknown,
    });
    expect(refused).toMatchObject({ data: [] });
    expect(recovery).toMatchObject({ dryRun: true });
    expect(rotated).toMatchObject({ secret: expect.stringMatching(/^whsec_/) as unknown });
    const operations = JSON.stringify(audit);
    for (const name of ['createEndpoint', 'updateEndpoint', 'rotateSecret'])
      expect(operations).toContain(name);
    expect(description).toMatchObject({ openapi: '3.1.1' });
    expect(stdout).toContain('FailedEntryCount: 0');
  });
});
