import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synthesize } from '../../local/synthesis.ts';
import { killAll } from '../receivers/child.ts';
import { parseFlags, usage, WrongFlags } from './flags.ts';
import { fuzz } from './fuzz.ts';
import type { Outcome } from './fuzz.ts';
import { NotRun } from '../python.ts';
import { prepareSchemathesis } from './python.ts';
import { isClean, summaryOf } from './summary.ts';

/** `npm run fuzz`: requests invented from the OpenAPI description, at every operation of the local runtime. */

const exitCodes = { clean: 0, found: 1, usage: 2, notRun: 3 } as const;
const say = (line: string) => process.stdout.write(`${line}\n`);

process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof WrongFlags) say(`${error.message}\n\n${usage}`);
  else if (error instanceof NotRun) say(`not run: ${error.message}`);
  else throw error;
  process.exitCode = error instanceof WrongFlags ? exitCodes.usage : exitCodes.notRun;
}

async function main(args: readonly string[]): Promise<number> {
  const { maxExamples, seed, identities } = parseFlags(args);
  const command = await prepareSchemathesis();
  const templateFolder = await mkdtemp(join(tmpdir(), 'tidings-fuzz-'));
  // At the exit, which an interrupted run has, too.
  process.on('exit', () => {
    rmSync(templateFolder, { recursive: true, force: true });
  });
  await synthesize(templateFolder);
  const outcomes: Outcome[] = [];
  for (const identity of identities) {
    say(`As ${identity}, seed ${seed}, at most ${maxExamples} requests of each operation in each phase`);
    const onOutput = (text: string) => process.stdout.write(text);
    outcomes.push(await fuzz({ command, templateFolder, identity, maxExamples, seed, onOutput }));
  }
  say(['', ...outcomes.map(summaryOf), `seed ${seed}`].join('\n'));
  return outcomes.every(isClean) ? exitCodes.clean : exitCodes.found;
}
