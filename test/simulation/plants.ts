import { plants } from './planted.ts';
import { run } from './simulate.ts';

/** A fault that hides longer is not found by a run of CI. */
const seedsMax = 20_000;

/** Plants each fault in turn, and tells how many seeds it takes until an invariant breaks. */
async function main(): Promise<number> {
  let missed = 0;
  for (const [name, plant] of Object.entries(plants)) {
    const seeds = await seedsUntilFound(name, plant);
    if (seeds === undefined) missed += 1;
  }
  return missed === 0 ? 0 : 1;
}

async function seedsUntilFound(name: string, plant: (typeof plants)[string]): Promise<number | undefined> {
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const { violation } = await run(seed, { plant });
    if (violation === undefined) continue;
    // What breaks the simulator itself has not been caught by an invariant.
    if (violation.invariant === 'simulator') throw new Error(`${name}, seed ${seed}: ${violation.text}`);
    say(
      `${name.padEnd(24)} found by seed ${String(seed).padStart(5)}: ${violation.invariant}: ${violation.text}`,
    );
    return seed;
  }
  say(`${name.padEnd(24)} not found by ${seedsMax} seeds`);
  return undefined;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exitCode = await main();
