import { parseArgs } from 'node:util';
import { z } from 'zod';

export const identities = ['administrator', 'operator'] as const;
/** As whom the API is asked. */
export type Identity = (typeof identities)[number];

/** What `npm run fuzz` was asked for. */
export interface Flags {
  /** Of each operation in each phase. */
  readonly maxExamples: number;
  readonly seed: number;
  readonly identities: readonly Identity[];
}

const defaults = { 'max-examples': '50', seed: '1' };

export const usage = `Usage: npm run fuzz -- [--max-examples N] [--seed N] [--as NAME]

  --max-examples N  requests of each operation in each phase, ${defaults['max-examples']} by default
  --seed N          the same seed invents the same requests; ${defaults.seed} by default
  --as NAME         only as this one: ${identities.join(' or ')}

Ends with 0 when nothing was found, 1 when something was, 2 for a wrong flag, 3 when Python or its packages are missing.`;

/** What was asked for cannot be done; its message is for the person who typed it. */
export class WrongFlags extends Error {}

const flags = z.object({
  'max-examples': z.coerce.number().int().min(1).max(100_000),
  seed: z.coerce.number().int().min(0),
  as: z.enum(identities).optional(),
});

/**
 * @throws WrongFlags naming the flag that is wrong.
 */
export function parseFlags(args: readonly string[]): Flags {
  const parsed = flags.safeParse({ ...defaults, ...read(args) });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new WrongFlags(`--${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
  }
  const { 'max-examples': maxExamples, seed, as } = parsed.data;
  return { maxExamples, seed, identities: as === undefined ? identities : [as] };
}

function read(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ args: [...args], options: { 'max-examples': text, seed: text, as: text } }).values;
  } catch (cause) {
    throw new WrongFlags(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
