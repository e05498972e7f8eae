import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ensureOrganization } from '../../local/demo/endpoints.ts';
import { startRuntime } from '../../local/runtime.ts';
import type { Runtime } from '../../local/runtime.ts';
import { cacheOf, NotRun } from '../python.ts';
import { killAll } from '../receivers/child.ts';
import type { Ground } from './ground.ts';
import { lint } from './lint.ts';
import { usePython } from './python.ts';
import { useTypeScript } from './typescript.ts';

/** `npm run test:clients`: clients that are generated from the API's description work with the local runtime. */

const exitCodes = { well: 0, notRun: 3 } as const;
const say = (line: string) => process.stdout.write(`${line}\n`);

/** What a program has seen that uses a client; the last of what it printed. */
const seen = z.strictObject({
  secrets: z.tuple([z.literal('whsec_'), z.literal('whsec_')]),
  event: z.string().startsWith('evt_'),
  // One endpoint on each, and nothing on the last one.
  pages: z.tuple([z.tuple([z.literal('billing')]), z.tuple([z.literal('audit')]), z.tuple([])]),
  fault: z.string().startsWith('not https: '),
});

process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  await main();
  process.exitCode = exitCodes.well;
} catch (error) {
  if (!(error instanceof NotRun)) throw error;
  say(`not run: ${error.message}`);
  process.exitCode = exitCodes.notRun;
}

async function main(): Promise<void> {
  // Nobody's receiver gets what is published here.
  const runtime = await startRuntime({ port: 0, namesAreLocal: true });
  try {
    const folder = cacheOf('clients');
    await mkdir(folder, { recursive: true });
    const description = join(folder, 'openapi.json');
    await writeFile(description, await (await fetch(`${runtime.api}/openapi.json`)).text());
    await lint(description);
    say('Redocly: no warning');
    for (const [name, use] of [
      ['TypeScript', useTypeScript],
      ['Python', usePython],
    ] as const) {
      const ground = await groundOf(runtime, { description, folder, organizationId: `org_${name}` });
      const printed = await use(ground);
      seen.parse(JSON.parse(printed));
      say(`${name}: ${printed}`);
    }
  } finally {
    await runtime.stop();
  }
}

async function groundOf(
  runtime: Runtime,
  rest: Pick<Ground, 'description' | 'folder' | 'organizationId'>,
): Promise<Ground> {
  const { organizationId } = rest;
  const operator = { api: runtime.api, token: await runtime.issueToken({ group: 'operators' }) };
  await ensureOrganization(operator, organizationId);
  const token = await runtime.issueToken({ organizationId, group: 'administrators' });
  return { runtime, token, ...rest };
}
