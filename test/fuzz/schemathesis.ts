import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../receivers/child.ts';

/** A run of Schemathesis. */
export interface Order {
  /** Path of its command. */
  readonly command: string;
  /** Where its configuration is, and its findings go. */
  readonly folder: string;
  readonly description: string;
  readonly maxExamples: number;
  readonly seed: number;
  /** What the configuration and the hooks refer to. */
  readonly environment: Readonly<Record<string, string>>;
  /** Told of all that it prints. */
  readonly onOutput: (text: string) => void;
}

export const configurationFile = 'schemathesis.toml';

const report = z.object({
  exit_code: z.number(),
  running_time: z.number(),
  operations: z.object({ selected: z.number(), tested: z.number() }),
  test_cases: z.object({ generated: z.number(), unique_failures: z.number(), errored: z.number() }),
});
const measured = z.object({
  slowest: z.object({ ms: z.number(), operation: z.string() }),
  /** Answers by operation and status. */
  statuses: z.record(z.string(), z.record(z.string(), z.number())),
});

/** What it tells of a run, and what the hooks have measured. */
export interface Findings {
  readonly report: z.output<typeof report>;
  readonly measured: z.output<typeof measured>;
}

/** Longer than the longest run that anybody asks for. */
export const limitMs = 4 * 60 * 60_000;

/** No answer takes longer, on the local runtime. */
const responseSecondsMax = 1;

/**
 * Runs Schemathesis to its end.
 *
 * @throws Error with what it printed last, when it has not come to its end.
 */
export async function runSchemathesis(order: Order): Promise<Findings> {
  const { command, folder, environment, onOutput } = order;
  const file = (name: string) => join(folder, name);
  const fault: unknown = await run(
    {
      command,
      args: argumentsOf(order),
      cwd: folder,
      env: {
        ...environment,
        FUZZ_MEASURED: file('measured.json'),
        SCHEMATHESIS_HOOKS: join(import.meta.dirname, 'hooks.py'),
        // Nothing beside the sources.
        PYTHONDONTWRITEBYTECODE: '1',
      },
      onOutput,
    },
    limitMs,
  ).catch((error: unknown) => error);
  // It fails when it has found something, too: whether it came to its end stands in its report.
  try {
    return {
      report: report.parse(await readJson(file('report.json'))),
      measured: measured.parse(await readJson(file('measured.json'))),
    };
  } catch (cause) {
    throw new Error(`Schemathesis did not come to its end: ${String(fault)}`, { cause });
  }
}

function argumentsOf({ folder, description, maxExamples, seed }: Order): string[] {
  const flags = {
    phases: 'examples,coverage,fuzzing,stateful',
    'max-response-time': responseSecondsMax,
    'max-examples': maxExamples,
    seed,
    report: 'json',
    'report-json-path': join(folder, 'report.json'),
    // Its own memory of earlier failures would make a run depend on the one before.
    'generation-database': ':memory:',
    // They tell of few good answers, as the summary does.
    warnings: 'off',
  };
  const given = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return [
    ...['--config-file', join(folder, configurationFile)],
    ...['run', description, '--continue-on-failure', '--no-color'],
    ...given,
  ];
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8'));
}
