import type { z } from 'zod';

/**
 * Parses a function's environment once, at start. What a variable holds never appears in the error:
 * only its name and what was expected.
 *
 * @throws Error naming every variable that is missing or malformed.
 */
export function readEnvironment<S extends z.ZodType>(schema: S, environment: unknown): z.output<S> {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.code}`);
  throw new Error(`Environment variables are missing or malformed: ${faults.join(', ')}`);
}
