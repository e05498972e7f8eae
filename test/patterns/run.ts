import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { eventMatcher } from '../../local/aws/event-pattern.ts';
import { cacheOf } from '../python.ts';
import { draw } from './draw.ts';
import type { Drawn } from './draw.ts';

/**
 * `npm run test:patterns`: patterns and events at random, judged by the local bus and by aws/event-ruler, which is what
 * EventBridge matches by. Ends with 3 where there is no Java, no Maven or no registry.
 */

const exitCodes = { passed: 0, failed: 1, notRun: 3 } as const;
const say = (line: string) => process.stdout.write(`${line}\n`);
const { values } = parseArgs({ options: { count: { type: 'string' }, seed: { type: 'string' } } });

const jars = join(cacheOf('patterns'), 'jars');
process.exitCode = isPrepared()
  ? compare(Number(values.count ?? 20_000), Number(values.seed ?? 1))
  : exitCodes.notRun;

function isPrepared(): boolean {
  mkdirSync(jars, { recursive: true });
  const pom = join(import.meta.dirname, 'pom.xml');
  try {
    execFileSync('mvn', ['-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`], {
      stdio: 'ignore',
      timeout: 300_000,
    });
    return true;
  } catch (error) {
    say(`not run: event-ruler needs Java, Maven and Maven's registry (${String(error)})`);
    return false;
  }
}

function compare(count: number, seed: number): number {
  const drawn = draw(count, seed);
  const theirs = judged(drawn);
  const tally = { true: 0, false: 0, unknown: 0 };
  const different = drawn.filter((one, index) => {
    const own = ownVerdict(one);
    tally[own] += 1;
    return own !== 'unknown' && own !== theirs[index];
  });
  for (const one of different.slice(0, 10)) say(`different: ${JSON.stringify(one)}`);
  say(
    `${drawn.length} patterns and events, seed ${seed}: ${tally.true} match, ${tally.false} do not, ${tally.unknown} are refused here, ${different.length} are judged differently`,
  );
  return different.length === 0 ? exitCodes.passed : exitCodes.failed;
}

/** A pattern that asks for a path twice, once by a dotted name, is refused by the local bus. */
function ownVerdict({ pattern, event }: Drawn): 'true' | 'false' | 'unknown' {
  try {
    return eventMatcher(pattern)(event) ? 'true' : 'false';
  } catch {
    return 'unknown';
  }
}

function judged(drawn: readonly Drawn[]): readonly string[] {
  const input = drawn.map((one) => `${JSON.stringify(one)}\n`).join('');
  const judge = join(import.meta.dirname, 'Judge.java');
  const output = execFileSync('java', ['-cp', join(jars, '*'), judge], {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
  });
  return output.trim().split('\n');
}
