import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { synthesized } from '../lib/synthesized.ts';
import { cacheOf, NotRun, preparePython } from '../python.ts';
import { run } from '../receivers/child.ts';

/** `npm run check:template`: cfn-lint, which knows the schemas of AWS, looks at the stack under several settings. */

const cases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  default: {},
  everything: {
    stage: 'dev',
    tracing: 'true',
    egressZones: '2',
    canary: 'true',
    archiveDays: '30',
    alarmEmail: 'night@acme.example',
    programs: 'org_1,operator',
    eventSchemas: 'strict',
  },
  'own-sign-in': { issuer: 'https://id.acme.example/', audience: 'tidings', scopeClaim: 'scp' },
};

const regions = ['us-east-1', 'eu-central-1', 'ap-southeast-2'];

/** W3005: CDK writes `DependsOn` beside a reference that says the same. */
const ignored = ['W3005'];

const limitMs = 300_000;
const exitCodes = { clean: 0, found: 1, notRun: 3 } as const;
const say = (line: string) => process.stdout.write(`${line}\n`);

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof NotRun)) throw error;
  say(`not run: ${error.message}`);
  process.exitCode = exitCodes.notRun;
}

async function main(): Promise<number> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const command = await preparePython({ name: 'cfn-lint', command: 'cfn-lint', requirements });
  const folder = join(cacheOf('cfn-lint'), 'templates');
  await mkdir(folder, { recursive: true });
  let found = 0;
  for (const [name, settings] of Object.entries(cases)) {
    const file = join(folder, `${name}.template.json`);
    await writeFile(file, JSON.stringify(synthesized(settings).template.toJSON(), undefined, 1));
    const args = ['--template', file, '--regions', ...regions, '--ignore-checks', ...ignored];
    const problem = await run({ command, args, cwd: folder }, limitMs).then(() => undefined, messageOf);
    if (problem !== undefined) found += 1;
    say(`${name}: ${problem ?? 'clean'}`);
  }
  return found === 0 ? exitCodes.clean : exitCodes.found;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
