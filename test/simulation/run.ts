import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runInThreads } from './shard.ts';
import type { Report } from './shard.ts';
import { plantOf } from './planted.ts';
import { run } from './simulate.ts';

const usage = `Usage: npm run simulate -- [--seeds N] [--from S] [--threads T] [--plant NAME] [--story]

  --seeds N     how many seeds, 10,000 by default
  --from S      the first of them, 1 by default
  --threads T   as many as there are cores by default
  --plant NAME  plants a fault (test/simulation/plant.ts) in the engine
  --story       tells what happens, of one seed`;

/** Lines of a story that are shown of a seed that breaks an invariant; the end is what matters. */
const linesShown = 60;

async function main(): Promise<number> {
  const flags = flagsOf(process.argv.slice(2));
  const { seeds, from, threads, plant } = flags;
  if (flags.withStory) return tellStory(from, plant, Infinity);
  const startMs = performance.now();
  const all: Report = { seeds: 0, turns: 0, violations: [] };
  let nextLineMs = startMs + 10_000;
  await runInThreads({ from, seeds, plant }, threads, (found) => {
    all.seeds += found.seeds;
    all.turns += found.turns;
    all.violations.push(...found.violations);
    for (const { seed, invariant, text } of found.violations) say(`seed ${seed}: ${invariant}: ${text}`);
    if (performance.now() > nextLineMs) {
      say(progress(all, startMs));
      nextLineMs += 10_000;
    }
  });
  say(progress(all, startMs));
  const [first] = all.violations.toSorted((one, other) => one.seed - other.seed);
  return first === undefined ? 0 : tellStory(first.seed, plant, linesShown);
}

function progress({ seeds, turns, violations }: Report, startMs: number): string {
  const seconds = (performance.now() - startMs) / 1000;
  const speed = `${(seeds / seconds).toFixed(0)} seeds/s, ${(turns / seeds).toFixed(0)} turns a seed`;
  return `${seeds.toLocaleString('en')} seeds in ${seconds.toFixed(0)} s (${speed}), ${violations.length} violations`;
}

async function tellStory(seed: number, plant: string | undefined, lines: number): Promise<number> {
  const options = plant === undefined ? {} : { plant: plantOf(plant) };
  const { story, violation, turns, hash } = await run(seed, { ...options, withStory: true });
  say(`\nSeed ${seed}, ${turns} turns, trace ${hash.toString(16)}:\n`);
  say(story.slice(-lines).join('\n'));
  if (violation === undefined) return 0;
  const planted = plant === undefined ? '' : ` --plant ${plant}`;
  say(`\nAgain, in full: npm run simulate -- --story --seeds 1 --from ${seed}${planted}`);
  return 1;
}

function flagsOf(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '10000' },
      from: { type: 'string', default: '1' },
      threads: { type: 'string', default: String(availableParallelism()) },
      plant: { type: 'string' },
      story: { type: 'boolean', default: false },
    },
  });
  return {
    seeds: positive(values.seeds),
    from: positive(values.from),
    threads: positive(values.threads),
    plant: values.plant,
    withStory: values.story,
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(usage);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main();
